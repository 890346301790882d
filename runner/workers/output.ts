import { parseStreamLine } from '#host/claude'
import { appendUntrusted, readUntrusted } from '#host/fs'
import { toOneLine } from '#host/text.ts'
import type { Session } from '#session'
import type { WorkerStatus } from '#session/status'

/** At most this much of a stream is read at once, and a line longer than this is not shown. */
const MAX_LINE_BYTES = 1024 * 1024
const TEXT_COLUMNS = 190
const TARGET_COLUMNS = 170

/** Turns the workers' stream-json into the text that their windows show, as it arrives. One for the whole session. */
export class WorkerOutput {
  private readonly readOffsets = new Map<string, number>()
  private readonly finished = new Set<string>()

  /** Update the output of every worker. */
  refresh(session: Session, workers: WorkerStatus[]): void {
    for (const { name, startedAt, endedAt } of workers) {
      if (startedAt === undefined || this.finished.has(name)) continue
      this.refreshWorker(session, name)
      if (endedAt !== undefined) this.finished.add(name)
    }
  }

  /** An incomplete last line waits for its end. The worker could have replaced either file, so both are untrusted. */
  private refreshWorker(session: Session, name: string): void {
    const { stream, output } = session.paths.worker(name)
    const offset = this.readOffsets.get(name)
    const bytes = readUntrusted(stream, MAX_LINE_BYTES, offset ?? 0) ?? Buffer.alloc(0)
    const length = bytes.length === MAX_LINE_BYTES ? bytes.length : bytes.lastIndexOf('\n') + 1
    if (length === 0) return
    const lines = bytes.subarray(0, length).toString('utf8').split('\n')
    const text = lines.flatMap(parseStreamLine).map(formatStreamEvent).join('')
    appendUntrusted(output, text, offset === undefined)
    this.readOffsets.set(name, (offset ?? 0) + length)
  }
}

/** Format one event of a worker's stream for a person. Pure. */
export function formatStreamEvent(event: ReturnType<typeof parseStreamLine>[number]): string {
  if (event.kind === 'text') {
    const lines = event.text.split('\n').map(line => toOneLine(line, TEXT_COLUMNS))
    return `\n${lines.join('\n')}\n`
  }
  if (event.kind === 'tool') return `  > ${event.tool} ${toOneLine(event.target, TARGET_COLUMNS)}\n`
  const { is_error, num_turns, total_cost_usd } = event.result
  const cost = total_cost_usd === undefined ? '' : `, $${total_cost_usd.toFixed(2)}`
  return `\n--- ${is_error ? 'error' : 'done'}: ${num_turns ?? '?'} turns${cost} ---\n`
}
