import type { Remark } from './audit/remark.ts'

export { type Part, parts, type Remark } from './audit/remark.ts'

/** What an audit of a session's folder has come to. */
export interface Audit {
  id: string
  folder: string
  isSound: boolean
  /** Has it come to an end, or is it audited as far as it has come? */
  hasEnded: boolean
  phase: string
  events: number
  head: string | null
  /** The head at the last verdict: what the phone was told. */
  verdictHead: string | null
  remarks: Remark[]
}

/**
 * Hold the parts of a session's record against each other: log, opening, seal, evidence, packet, verdict, working tree and index.
 * It goes by the folder alone, which may come from anywhere and anybody: nothing in it is run, changed or waited for. `head` is
 * the head of the log, or its first digits, as somebody knows it from elsewhere.
 */
export async function audit(folder: string, head?: string): Promise<Audit> {
  const { auditFolder } = await import('./audit/whole.ts') // Only who audits needs all of it.
  return auditFolder(folder, head)
}
