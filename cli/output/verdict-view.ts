import { quoteForShell } from '#host/shell-quote.ts'
import { formatNames, sanitize } from '#host/text.ts'
import { readCurrentVerdict } from '#session/evidence'
import { formatLogAnchor, readLog } from '#session/log'
import type { SessionView } from '#session/status'
import { paint, paintVerdict, print } from './terminal.ts'

/** The last verdict, whether it is still valid for outputs/, and how to fetch the work. Nothing before the first verdict. */
export function printVerdict({ session, status }: SessionView, changedPaths: string[]): void {
  const { verdict } = status
  if (!verdict) return
  const { paths } = session
  print(
    `\n${paint('bold', 'Verdict')}  ${paintVerdict(verdict.verdict)}  round ${verdict.round} of ${status.maxRounds}`,
  )
  print(`  ${sanitize(verdict.reason)}`)
  print(`  commit   ${verdict.commit}`)
  print(`  tree     ${verdict.tree}`)
  const record = readCurrentVerdict(paths, status)
  const judge = record ? `${sanitize(record.judge)}; ` : ''
  print(`  judge    ${judge}independence: ${sanitize(verdict.independence)}`)
  if (record) print(`  packet   ${record.packetSha256 === null ? 'not sent' : `sha256 ${record.packetSha256}`}`)
  const anchor = readVerdictAnchor(paths.events)
  if (anchor !== undefined)
    print(`  anchor   ${anchor}  ${paint('dim', 'as in the notification; for dispatch audit --head')}`)
  if (changedPaths.length > 0)
    print(paint('red', `  VOID     for outputs/ as it is now: ${formatNames(changedPaths)} changed since the verdict`))
  if (!changedPaths.includes('evidence/repository.git'))
    print(`  fetch    git fetch ${quoteForShell(paths.bareRepository)} judged`)
  print(paint('dim', `           ${paths.verdictText}`))
}

// --- internal ---

/** The head of the log at the last verdict, as the notification gave it. */
function readVerdictAnchor(file: string): string | undefined {
  const { events, hashes, chainStart } = readLog(file)
  const head = hashes[events.findLastIndex(({ type }) => type === 'verdict.given')]
  return head === undefined || chainStart === null ? undefined : formatLogAnchor(head)
}
