/** What an audit looks at, in its order. */
export const auditParts = ['chain', 'opening', 'seal', 'evidence', 'packet', 'verdict', 'tree', 'index'] as const
export type AuditPart = (typeof auditParts)[number]

/** What an audit has to say of one file: damage, or merely something to know. */
export interface AuditProblem {
  part: AuditPart
  isDamage: boolean
  /** Within the session's folder. */
  file: string
  message: string
  /** What follows from it; empty for a note. */
  consequence: string
}

/** Collects what is said of one part. */
export class AuditProblems {
  readonly problems: AuditProblem[] = []
  private readonly part: AuditPart

  constructor(part: AuditPart) {
    this.part = part
  }

  addDamage(file: string, message: string, consequence: string): void {
    this.problems.push({ part: this.part, isDamage: true, file, message, consequence })
  }

  addNote(file: string, message: string): void {
    this.problems.push({ part: this.part, isDamage: false, file, message, consequence: '' })
  }
}
