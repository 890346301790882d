import type { ContractProblem } from './clause.ts'

/** The lines of a contract, without its comments and its free fenced blocks, and the problems found in them. */
export class ContractScanner {
  readonly problems: ContractProblem[] = []
  private readonly lines: string[]
  private nextIndex = 0
  private currentIndex = 0
  /** Is a comment or a fenced block open at the end? Then the rest was not read, and more problems would mislead. */
  private isUnclosed = false

  constructor(text: string) {
    this.lines = text
      .replace(/^\ufeff/, '')
      .replace(/\r\n?/g, '\n')
      .split('\n')
  }

  /** The number of the current line, from 1. */
  get lineNumber(): number {
    return this.currentIndex + 1
  }

  /** Move to the next line that is neither a comment nor in a fenced block; undefined at the end. */
  readLine(): string | undefined {
    while (this.nextIndex < this.lines.length) {
      this.currentIndex = this.nextIndex++
      const line = this.lines[this.currentIndex] ?? ''
      if (commentPattern.test(line)) this.skipComment()
      else if (fencePattern.test(line)) this.readBlock(this.currentIndex)
      else return line
    }
    return undefined
  }

  /** The text of the fenced block that begins on the next line, without its indent; undefined without one. */
  readBlockBelow(): string | undefined {
    return this.readBlock(this.currentIndex + 1)
  }

  /** Add a problem of the current line. */
  addProblem(message: string, remedy: string): void {
    if (!this.isUnclosed) this.problems.push({ line: this.lineNumber, message, remedy })
  }

  /** A comment begins at the start of a line. Anywhere else, `<!--` belongs to a command or an expectation. */
  private skipComment(): void {
    const end = this.lines.findIndex((line, index) => index >= this.currentIndex && line.includes('-->'))
    if (end < 0) return this.stopUnclosed('a comment is not closed', 'Close it with --> on a line of its own.')
    const lastLine = this.lines[end] ?? ''
    this.lines[end] = lastLine.slice(lastLine.indexOf('-->') + 3)
    this.nextIndex = end // What follows the comment on its last line is read next.
  }

  private readBlock(start: number): string | undefined {
    const [, indent, fence] = fencePattern.exec(this.lines[start] ?? '') ?? []
    if (indent === undefined || fence === undefined) return undefined
    const isClosing = (line: string) => line.startsWith(fence) && /^(`+|~+)$/.test(line)
    const end = this.lines.findIndex((line, index) => index > start && isClosing(line.trim()))
    if (end < 0) {
      this.stopUnclosed('a fenced block is not closed', `Close it with ${fence} on a line of its own.`)
      return undefined
    }
    this.nextIndex = end + 1
    return this.lines
      .slice(start + 1, end)
      .map(line => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()))
      .join('\n')
  }

  private stopUnclosed(message: string, remedy: string): void {
    this.addProblem(message, remedy)
    this.isUnclosed = true
    this.nextIndex = this.lines.length
  }
}

/**
 * Parse a code span that fills the value, with as many backticks after it as before it: `` `x` `` or ``` ``echo `date`
 * `` ```.
 */
export function parseCodeSpan(value: string): string | undefined {
  const ticks = /^`+/.exec(value)?.[0]
  if (ticks === undefined || value.length <= 2 * ticks.length || !value.endsWith(ticks)) return undefined
  const inner = value.slice(ticks.length, -ticks.length)
  const innerRuns = inner.match(/`+/g) ?? []
  if (inner.endsWith('`') || innerRuns.some(run => run.length === ticks.length)) return undefined
  return inner.replace(/^ (.*) $/, '$1')
}

/** `<!-- a comment` */
const commentPattern = /^\s*<!--/
/** The indent and the fence of an opening line such as `  ```sh`. */
const fencePattern = /^(\s*)(```+|~~~+)/
