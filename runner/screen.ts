import fs from 'node:fs'
import { isErrno, oneLine, parseStreamLine, type StreamLine } from '../host/index.ts'
import type { Session } from '../session/index.ts'

/** Turns the workers' stream-json into the text their windows show, as far as it has come. One for the whole session. */
export class Screens {
  private readonly read = new Map<string, number>()

  /** Bring one worker's screen up to date. A half-written last line waits for its end. */
  refresh(session: Session, name: string): void {
    const { stream, screen } = session.paths.worker(name)
    const from = this.read.get(name)
    const fresh = readFrom(stream, from ?? 0)
    const whole = fresh.length === chunk ? fresh.length : fresh.lastIndexOf(10) + 1
    if (whole === 0) return
    const text = fresh.subarray(0, whole).toString('utf8').split('\n').flatMap(parseStreamLine).map(readable).join('')
    fs.writeFileSync(screen, text, { flag: from === undefined ? 'w' : 'a', mode: 0o600 })
    this.read.set(name, (from ?? 0) + whole)
  }
}

/** One thing an agent said or did, for a person's eyes. Pure. */
export function readable(line: StreamLine): string {
  if (line.is === 'said')
    return `\n${line.text
      .split('\n')
      .map(each => oneLine(each, 190))
      .join('\n')}\n`
  if (line.is === 'used') return `  > ${line.tool} ${oneLine(line.on, 170)}\n`
  return `\n--- ${line.result.is_error ? 'error' : 'done'}: ${line.result.num_turns ?? '?'} turns${line.result.total_cost_usd === undefined ? '' : `, $${line.result.total_cost_usd.toFixed(2)}`} ---\n`
}

/** A line longer than this is not shown. */
const chunk = 1024 * 1024

function readFrom(file: string, offset: number): Buffer {
  try {
    const fd = fs.openSync(file, 'r')
    try {
      const buffer = Buffer.alloc(Math.min(chunk, Math.max(0, fs.fstatSync(fd).size - offset)))
      return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, offset))
    } finally {
      fs.closeSync(fd)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return Buffer.alloc(0)
    throw error
  }
}
