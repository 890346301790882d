import fs from 'node:fs'
import { readUntrusted } from './fs/files.ts'

/** How much is read at once; a longer line is dropped. */
const MAX_LINE_BYTES = 4 * 1024 * 1024
const NEWLINE_CODE = 10

/**
 * Reads a growing file line by line. An agent may have put anything there, so links and pipes are not followed. With
 * `lastBytes`, anything further back is left out.
 */
export class Tail {
  private readonly file: string
  private offset: number
  /** Is the offset in the middle of a line that is left out? */
  private isMidLine: boolean

  constructor(file: string, lastBytes = Number.POSITIVE_INFINITY) {
    this.file = file
    this.offset = Math.max(0, (fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) - lastBytes)
    this.isMidLine = this.offset > 0
  }

  /** The complete lines since the last call; an incomplete one waits for its end. */
  *readNewLines(): Generator<string> {
    for (;;) {
      const bytes = readUntrusted(this.file, MAX_LINE_BYTES, this.offset) ?? Buffer.alloc(0)
      const completeBytes = bytes.lastIndexOf(NEWLINE_CODE) + 1
      if (completeBytes === 0 && bytes.length < MAX_LINE_BYTES) return
      const lines = bytes.subarray(0, completeBytes).toString('utf8').split('\n').slice(0, -1)
      yield* this.isMidLine ? lines.slice(1) : lines
      this.isMidLine = completeBytes === 0
      this.offset += completeBytes || bytes.length
    }
  }

  /** What comes after the last line break. */
  readRemainder(): string {
    const bytes = readUntrusted(this.file, MAX_LINE_BYTES, this.offset) ?? Buffer.alloc(0)
    return this.isMidLine ? '' : bytes.toString('utf8')
  }
}
