import fs from 'node:fs'
import { readUntrusted } from '#host/fs'

/** What is read at one time; a longer line is dropped. */
const MAX_LINE_BYTES = 4 * 1024 * 1024

/**
 * A file that grows, line by line as far as it has come. It is read as something that an agent could have put there: no
 * link, no pipe. With `last`, what lies further back than so many bytes is left out.
 */
export class Tail {
  private readonly file: string
  private offset: number
  /** Are we in the middle of a line whose beginning is left out? */
  private torn: boolean

  constructor(file: string, last = Number.POSITIVE_INFINITY) {
    this.file = file
    this.offset = Math.max(0, (fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) - last)
    this.torn = this.offset > 0
  }

  /** The whole lines that have come since the last time; a half-written one waits for its end. */
  *readNewLines(): Generator<string> {
    for (;;) {
      const bytes = readUntrusted(this.file, MAX_LINE_BYTES, this.offset) ?? Buffer.alloc(0)
      const whole = bytes.lastIndexOf(10) + 1
      if (whole === 0 && bytes.length < MAX_LINE_BYTES) return
      const lines = bytes.subarray(0, whole).toString('utf8').split('\n').slice(0, -1)
      yield* this.torn ? lines.slice(1) : lines
      this.torn = whole === 0
      this.offset += whole || bytes.length
    }
  }

  /** What stands behind the last line break. */
  readRemainder(): string {
    const bytes = readUntrusted(this.file, MAX_LINE_BYTES, this.offset) ?? Buffer.alloc(0)
    return this.torn ? '' : bytes.toString('utf8')
  }
}
