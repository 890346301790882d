import { z } from 'zod'
import { outcomeSchema, proofKindSchema, verdictSchema } from '../log/event.ts'
import type { SessionPaths } from '../paths.ts'
import type { SessionStatus } from '../status/status-types.ts'
import { readRecord } from './evidence.ts'
import { formatTestCounts, TestCounts } from './test-counts.ts'

/** The verdict on one clause, with its gate and the judge's answer. */
export const ClauseVerdict = z.object({
  id: z.string(),
  sentence: z.string(),
  proof: proofKindSchema,
  verdict: verdictSchema,
  /** What was run and seen, or why nothing was. */
  reason: z.string(),
  /** What the runner itself found: the outcome of a check, whether a scope was kept, or a broken pin. */
  gate: z.union([outcomeSchema, z.enum(['kept', 'broken', 'none'])]),
  /** The judge's answer; null if no judge was available. */
  judgement: z
    .object({ met: z.enum(['yes', 'no', 'unproven']), reason: z.string(), evidence: z.array(z.string()) })
    .nullable(),
  baseOutcome: outcomeSchema.optional(),
  /** How many tests its check ran on the judged tree; missing if it is not a test run. */
  tests: TestCounts.optional(),
  /** A note on how it was shown, such as: by a file that the work itself changed. */
  note: z.string().optional(),
})

/** Is the gate neither passed nor failed? Then another round may decide it. */
export function isUndecidedGate(gate: z.infer<typeof ClauseVerdict>['gate']): boolean {
  return gate === 'nothing ran' || gate === 'could not run' || gate === 'flaky'
}

export type ClauseVerdict = z.infer<typeof ClauseVerdict>

/** The content of `verdict.json`. */
export const VerdictRecord = z.object({
  format: z.literal(1),
  sessionId: z.string(),
  round: z.number(),
  verdict: verdictSchema,
  reason: z.string(),
  /** The judged commit and its tree. */
  commit: z.string(),
  tree: z.string(),
  contractSha256: z.string(),
  packetSha256: z.string().nullable(),
  /** How independent the judge is of the author: `other vendor, blind`, or `none`. */
  independence: z.string(),
  /** The model that answered, or why none did. */
  judge: z.string(),
  /** Why it is not the model that was asked for: the vendor answered with another one, or an earlier one may not be used. */
  judgeRemark: z.string().optional(),
  /** The sandbox in which the checks ran. */
  sandbox: z.string(),
  time: z.string(),
  /** The last event before this verdict and the hash of its line, which bind the log up to it to this verdict. */
  logAnchor: z.object({ seq: z.number(), head: z.string() }).optional(),
  clauses: z.array(ClauseVerdict),
  findings: z.array(z.string()),
  uncoveredSentences: z.array(z.string()),
  excludedSentences: z.array(z.string()).default([]),
  /** The judged version of the contract, and what it weakened since the first. A human approved each dilution. */
  contractVersion: z.number().default(1),
  dilutions: z.array(z.string()).default([]),
})

export type VerdictRecord = z.infer<typeof VerdictRecord>

/** Read the last verdict of a session; undefined if there is no valid one. */
export function readVerdictRecord(paths: SessionPaths): VerdictRecord | undefined {
  return readRecord(paths.verdictRecord, VerdictRecord)
}

/** Read the last verdict, if its round and its tree are those that the log names last. */
export function readCurrentVerdict(
  paths: SessionPaths,
  { verdict }: Pick<SessionStatus, 'verdict'>,
): VerdictRecord | undefined {
  const record = readVerdictRecord(paths)
  return verdict && record?.round === verdict.round && record.tree === verdict.tree ? record : undefined
}

/** Render `verdict.md`. Pure. */
export function renderVerdict(record: VerdictRecord, voidReason?: string): string {
  const rows = record.clauses.map(({ id, sentence, verdict, proof, baseOutcome, tests, reason }) => {
    const shownBy = [proof, baseOutcome && `${baseOutcome} before`, formatTestCounts(tests)].filter(Boolean).join(', ')
    return `| ${id} | ${formatCell(sentence)} | **${verdict}** | ${shownBy} | ${formatCell(reason)} |`
  })
  const version = record.contractVersion > 1 ? ` version ${record.contractVersion},` : ''
  const packet = record.packetSha256?.slice(0, 16) ?? 'none sent'
  const section = (title: string, items: string[]) =>
    items.length === 0 ? [] : ['', `## ${title}`, '', ...items.map(item => `- ${formatCell(item)}`)]
  return [
    `# ${record.verdict}${voidReason === undefined ? '' : ' (void)'}`,
    '',
    ...(voidReason === undefined ? [] : [`**This verdict is void:** ${formatCell(voidReason)}.`, '']),
    record.reason,
    '',
    `- round ${record.round}, ${record.time}`,
    `- judged commit \`${record.commit}\`, tree \`${record.tree}\``,
    `- contract${version} sha256 \`${record.contractSha256.slice(0, 16)}\`; packet sha256 \`${packet}\``,
    `- judge: ${describeJudge(record)}; independence: ${record.independence}`,
    `- sandbox: ${record.sandbox}`,
    ...(record.logAnchor
      ? [`- log: event ${record.logAnchor.seq}, head \`${record.logAnchor.head.slice(0, 16)}\``]
      : []),
    '',
    '| clause | sentence | verdict | proof | reason |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...section('Findings', record.findings),
    ...section('Not covered', record.uncoveredSentences),
    ...section('Left out by the contract', record.excludedSentences),
    ...section("Weakened since the first version, with a human's approval", record.dilutions),
    '',
  ].join('\n')
}

/** The model that answered, with a remark where it is not the one that was asked for. Pure. */
export function describeJudge({ judge, judgeRemark }: Pick<VerdictRecord, 'judge' | 'judgeRemark'>): string {
  return judgeRemark === undefined ? judge : `${judge} (not the model asked for: ${judgeRemark})`
}

function formatCell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim()
}
