import { parseStreamLine, type StreamEvent } from '#host/claude'
import { appendUntrusted, readUntrusted } from '#host/fs'
import { toOneLine } from '#host/text.ts'
import type { Session } from '#session'
import type { WorkerStatus } from '#session/status'
/** Turns the workers' stream-json into the text their windows show, as far as it has come. One for the whole session. */
export class WorkerOutput {
  private readonly readOffsets = new Map<string, number>()
  private readonly finished = new Set<string>()

  /** Bring every worker's screen up to date. */
  refresh(session: Session, workers: WorkerStatus[]): void {
    for (const { name, startedAt, endedAt } of workers) {
      if (startedAt === undefined || this.finished.has(name)) continue
      this.refreshWorker(session, name)
      if (endedAt !== undefined) this.finished.add(name)
    }
  }

  /** A half-written last line waits for its end. The worker could have put anything in the place of either file. */
  private refreshWorker(session: Session, name: string): void {
    const { stream, output: screen } = session.paths.worker(name)
    const from = this.readOffsets.get(name)
    const fresh = readUntrusted(stream, MAX_LINE_BYTES, from ?? 0) ?? Buffer.alloc(0)
    const whole = fresh.length === MAX_LINE_BYTES ? fresh.length : fresh.lastIndexOf(10) + 1
    if (whole === 0) return
    const text = fresh
      .subarray(0, whole)
      .toString('utf8')
      .split('\n')
      .flatMap(parseStreamLine)
      .map(formatStreamLine)
      .join('')
    appendUntrusted(screen, text, from === undefined)
    this.readOffsets.set(name, (from ?? 0) + whole)
  }
}

/** One thing an agent said or did, for a person's eyes. Pure. */
export function formatStreamLine(line: StreamEvent): string {
  if (line.kind === 'text')
    return `\n${line.text
      .split('\n')
      .map(each => toOneLine(each, 190))
      .join('\n')}\n`
  if (line.kind === 'tool') return `  > ${line.tool} ${toOneLine(line.target, 170)}\n`
  return `\n--- ${line.result.is_error ? 'error' : 'done'}: ${line.result.num_turns ?? '?'} turns${line.result.total_cost_usd === undefined ? '' : `, $${line.result.total_cost_usd.toFixed(2)}`} ---\n`
}

/** A line longer than this is not shown. */
const MAX_LINE_BYTES = 1024 * 1024
