/** What an audit looks at, in its order. */
export const parts = ['chain', 'opening', 'seal', 'evidence', 'packet', 'verdict', 'tree', 'index'] as const
export type Part = (typeof parts)[number]

/** What an audit has to say of one file: damage, or merely something to know. */
export interface Remark {
  part: Part
  isDamage: boolean
  /** Within the session's folder. */
  file: string
  what: string
  /** What follows from it; empty for a note. */
  means: string
}

/** Collects what is said of one part. */
export class Remarks {
  readonly all: Remark[] = []
  private readonly part: Part

  constructor(part: Part) {
    this.part = part
  }

  damage(file: string, what: string, means: string): void {
    this.all.push({ part: this.part, isDamage: true, file, what, means })
  }

  note(file: string, what: string): void {
    this.all.push({ part: this.part, isDamage: false, file, what, means: '' })
  }
}
