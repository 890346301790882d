import type { AuditProblem } from './problem.ts'

export { type AuditPart, type AuditProblem, auditParts } from './problem.ts'

/** What an audit of a session's folder has come to. */
export interface AuditReport {
  id: string
  folder: string
  isSound: boolean
  /** Has it come to an end, or is it audited as far as it has come? */
  hasEnded: boolean
  phase: string
  eventCount: number
  head: string | null
  /** The head at the last verdict: what the phone was told. */
  verdictHead: string | null
  problems: AuditProblem[]
}

/**
 * Hold the parts of a session's record against each other: log, opening, seal, evidence, packet, verdict, working tree and index.
 * It goes by the folder alone, which may come from anywhere and anybody: nothing in it is run, changed or waited for. `head` is
 * the head of the log, or its first digits, as somebody knows it from elsewhere.
 */
export async function auditSession(folder: string, head?: string): Promise<AuditReport> {
  const { auditFolder } = await import('./run.ts') // Only who audits needs all of it.
  return auditFolder(folder, head)
}
