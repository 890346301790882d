import type { CheckDetails, CheckReport } from '#forge/feedback'
import { redactSecrets } from '#host/secrets'

/**
 * What red checks say, without secrets: it is kept in records, and agents read it. Names stay as they are, because the branch asks for a
 * check by its name. Pure.
 */
export function withholdSecrets(
  { reports, details }: { reports: CheckReport[]; details: Map<CheckReport, CheckDetails> },
  secrets: readonly string[],
): { reports: CheckReport[]; details: Map<CheckReport, CheckDetails> } {
  const redact = (text: string) => redactSecrets(text, secrets).text
  // A private key goes over several lines. The number of lines stays.
  const redactLines = (lines: string[]) => (lines.length === 0 ? [] : redact(lines.join('\n')).split('\n'))
  const clean = new Map(reports.map(report => [report, { ...report, text: redact(report.text) }]))
  const entries = [...details].map(([report, { annotations, log }]): [CheckReport, CheckDetails] => [
    clean.get(report) ?? report,
    { annotations: annotations.map(redact), log: redactLines(log) },
  ])
  return { reports: [...clean.values()], details: new Map(entries) }
}
