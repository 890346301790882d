/** The parts of an audit, in its order. */
export const auditParts = ['log', 'manifest', 'seal', 'evidence', 'packet', 'verdict', 'worktree', 'index'] as const
export type AuditPart = (typeof auditParts)[number]

/** Something that an audit found in one file: damage, or only a note. */
export interface AuditProblem {
  part: AuditPart
  isDamage: boolean
  /** Relative to the session's folder. */
  file: string
  message: string
  /** What the damage means; empty for a note. */
  consequence: string
}

/** Collects the problems of one part. */
export class AuditProblems {
  readonly list: AuditProblem[] = []
  private readonly part: AuditPart

  constructor(part: AuditPart) {
    this.part = part
  }

  addDamage(file: string, message: string, consequence: string): void {
    this.list.push({ part: this.part, isDamage: true, file, message, consequence })
  }

  addNote(file: string, message: string): void {
    this.list.push({ part: this.part, isDamage: false, file, message, consequence: '' })
  }
}
