import type { Finding, Outcome, Proof } from './event.ts'

/** What a clause's verdict rests on: our gate, and the judge's word. */
export interface ClauseVerdict {
  id: string
  sentence: string
  proof: Proof
  verdict: Finding
  /** In words: what was run and seen, or why not. */
  because: string
  gate: Outcome | 'kept' | 'broken' | 'none'
  /** The judge's word on it; null when no judge could be had. */
  judge: { met: 'yes' | 'no' | 'unproven'; why: string; evidence: string[] } | null
  base?: Outcome
}

/** A verdict, as it stands in `verdict.json`. */
export interface VerdictRecord {
  format: 1
  session: string
  round: number
  verdict: Finding
  reason: string
  /** Exactly what was judged. */
  commit: string
  tree: string
  contractSha256: string
  packetSha256: string | null
  /** Who judged, and how far from the author: `other vendor, blind`, or `none`. */
  independence: string
  judge: string
  /** What the sandbox was when the evidence was taken. */
  sandbox: string
  at: string
  clauses: ClauseVerdict[]
  findings: string[]
  uncovered: string[]
}

/** The verdict for people: `verdict.md`. */
export function renderVerdict(record: VerdictRecord): string {
  const rows = record.clauses.map(
    clause =>
      `| ${clause.id} | ${cell(clause.sentence)} | **${clause.verdict}** | ${clause.proof}${clause.base ? `, ${clause.base} before` : ''} | ${cell(clause.because)} |`,
  )
  const part = (title: string, items: string[]) =>
    items.length === 0 ? [] : ['', `## ${title}`, '', ...items.map(item => `- ${cell(item)}`)]
  return [
    `# ${record.verdict}`,
    '',
    record.reason,
    '',
    `- round ${record.round}, ${record.at}`,
    `- judged commit \`${record.commit}\`, tree \`${record.tree}\``,
    `- contract sha256 \`${record.contractSha256.slice(0, 16)}\`; packet sha256 \`${record.packetSha256?.slice(0, 16) ?? 'none sent'}\``,
    `- judge: ${record.judge}; independence: ${record.independence}`,
    `- sandbox: ${record.sandbox}`,
    '',
    '| clause | what should be true | verdict | proof | because |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...part('Findings', record.findings),
    ...part('Not covered', record.uncovered),
    '',
  ].join('\n')
}

function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim()
}
