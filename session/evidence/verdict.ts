import { z } from 'zod'
import { readJson } from '#host/fs'
import { outcomeSchema, proofKindSchema, verdictSchema } from '../log/event.ts'
import type { SessionPaths } from '../paths.ts'
import type { SessionStatus } from '../status/status-types.ts'
/** What a clause's verdict rests on: our gate, and the judge's word. */
export const ClauseVerdict = z.object({
  id: z.string(),
  sentence: z.string(),
  proof: proofKindSchema,
  verdict: verdictSchema,
  /** In words: what was run and seen, or why not. */
  reason: z.string(),
  gate: z.union([outcomeSchema, z.enum(['kept', 'broken', 'none'])]),
  /** The judge's word on it; null when no judge could be had. */
  judgement: z
    .object({ met: z.enum(['yes', 'no', 'unproven']), reason: z.string(), evidence: z.array(z.string()) })
    .nullable(),
  baseOutcome: outcomeSchema.optional(),
  /** What a reader should know of how it was shown: by a file that the work itself changed. */
  note: z.string().optional(),
})

/** A gate that says neither yes nor no, which work on it can change. */
export function isUndecidedGate(gate: z.infer<typeof ClauseVerdict>['gate']): boolean {
  return gate === 'could not run' || gate === 'flaky'
}

export type ClauseVerdict = z.infer<typeof ClauseVerdict>

/** A verdict, as it stands in `verdict.json`. */
export const VerdictRecord = z.object({
  format: z.literal(1),
  sessionId: z.string(),
  round: z.number(),
  verdict: verdictSchema,
  reason: z.string(),
  /** Exactly what was judged. */
  commit: z.string(),
  tree: z.string(),
  contractSha256: z.string(),
  packetSha256: z.string().nullable(),
  /** Who judged, and how far from the author: `other vendor, blind`, or `none`. */
  independence: z.string(),
  judge: z.string(),
  /** What the sandbox was when the evidence was taken. */
  sandbox: z.string(),
  time: z.string(),
  /** The last event before this verdict and the hash of its line: every line up to it is bound to this verdict. */
  logAnchor: z.object({ seq: z.number(), head: z.string() }).optional(),
  clauses: z.array(ClauseVerdict),
  findings: z.array(z.string()),
  uncoveredSentences: z.array(z.string()),
  /** Which version of the contract was judged, and in what it asks for less than the first: a human has said yes to each. */
  contractVersion: z.number().default(1),
  dilutions: z.array(z.string()).default([]),
})

export type VerdictRecord = z.infer<typeof VerdictRecord>

/** The last verdict of a session, if it has one that reads. */
export function readVerdictRecord(paths: SessionPaths): VerdictRecord | undefined {
  return VerdictRecord.safeParse(readJson(paths.verdictRecord)).data
}

/** The written verdict, if it is the very one that the log names last: of its round and its tree. */
export function readCurrentVerdict(
  paths: SessionPaths,
  { verdict }: Pick<SessionStatus, 'verdict'>,
): VerdictRecord | undefined {
  const record = readVerdictRecord(paths)
  return verdict && record?.round === verdict.round && record.tree === verdict.tree ? record : undefined
}

/** The verdict for people: `verdict.md`. `voided` is why it no longer holds. */
export function renderVerdict(record: VerdictRecord, voidReason?: string): string {
  const rows = record.clauses.map(
    clause =>
      `| ${clause.id} | ${formatCell(clause.sentence)} | **${clause.verdict}** | ${clause.proof}${clause.baseOutcome ? `, ${clause.baseOutcome} before` : ''} | ${formatCell(clause.reason)} |`,
  )
  const part = (title: string, items: string[]) =>
    items.length === 0 ? [] : ['', `## ${title}`, '', ...items.map(item => `- ${formatCell(item)}`)]
  return [
    `# ${record.verdict}${voidReason === undefined ? '' : ' (void)'}`,
    '',
    ...(voidReason === undefined ? [] : [`**This verdict no longer holds:** ${formatCell(voidReason)}.`, '']),
    record.reason,
    '',
    `- round ${record.round}, ${record.time}`,
    `- judged commit \`${record.commit}\`, tree \`${record.tree}\``,
    `- contract${record.contractVersion > 1 ? ` version ${record.contractVersion},` : ''} sha256 \`${record.contractSha256.slice(0, 16)}\`; packet sha256 \`${record.packetSha256?.slice(0, 16) ?? 'none sent'}\``,
    `- judge: ${record.judge}; independence: ${record.independence}`,
    `- sandbox: ${record.sandbox}`,
    ...(record.logAnchor
      ? [`- log: event ${record.logAnchor.seq}, head \`${record.logAnchor.head.slice(0, 16)}\``]
      : []),
    '',
    '| clause | what should be true | verdict | proof | because |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...part('Findings', record.findings),
    ...part('Not covered', record.uncoveredSentences),
    ...part('Weaker than what was first sealed, with the approval of a human', record.dilutions),
    '',
  ].join('\n')
}

function formatCell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim()
}
