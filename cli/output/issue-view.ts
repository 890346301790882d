import type { Ignored } from '#forge/issues'
import { formatCount, formatNames, sanitize } from '#host/text.ts'
import { formatIssue, type IssueRecord } from '../issues/record.ts'
import type { Taken } from '../issues/take-issue.ts'
import { formatRelativeTime, formatTable, paint, print, shorten } from './terminal.ts'

/** What was claimed, where its work is, and whose words do not count. */
export function printTaken({ record, isNew, ignored }: Taken): void {
  const place = record.item ?? record.session?.slice(-4)
  print(`${formatIssue(record)}  ${sanitize(record.title)}`)
  print(
    isNew ? `  claimed${place === undefined ? '' : `, as ${place}`}` : `  was claimed before, as ${place ?? 'a start'}`,
  )
  for (const line of describeIgnored(ignored)) print(paint('yellow', `  ${line}`))
  print(paint('dim', `  A comment on ${record.url} shows the progress.`))
}

/** The claims of this home. */
export function printIssues(records: IssueRecord[]): void {
  if (records.length === 0) return print('No issue is claimed. To claim one: dispatch issue 42')
  const rows = records.map(record => [
    record.state,
    formatIssue(record),
    record.item ?? record.session?.slice(-4) ?? '',
    paint('dim', formatRelativeTime(record.claimedAt)),
    sanitize(shorten(record.title, TITLE_WIDTH)),
    paint('dim', sanitize(record.reason)),
  ])
  print(formatTable(rows))
}

/** A claim as `--json` prints it. The task is in the session. Pure. */
export function summarizeIssue({ task, work, starter, commentHash, ...record }: IssueRecord) {
  return { issue: formatIssue(record), ...record, taskBytes: Buffer.byteLength(task), after: work.after }
}

/** Whose words are not part of the task, and why. Pure. */
export function describeIgnored(ignored: Ignored[]): string[] {
  return (Object.keys(reasons) as Ignored['reason'][]).flatMap(reason => {
    const found = ignored.filter(each => each.reason === reason)
    const people = [...new Set(found.map(({ author }) => `@${author}`))]
    return found.length === 0 ? [] : [`${reasons[reason](found.length)}: ${formatNames(people)}`]
  })
}

// --- internal ---

const TITLE_WIDTH = 60

const reasons: Record<Ignored['reason'], (count: number) => string> = {
  'not trusted': count => `${formatCount(count, 'comment')} ignored, of people who may not decide here`,
  'written later': count => `${formatCount(count, 'comment')} ignored, written after the moment that counts`,
  'edited later': count => `${formatCount(count, 'comment')} ignored, edited after the moment that counts`,
  'too long': count => `${formatCount(count, 'text')} left out, because the task would be too long`,
  hidden: count => `in ${formatCount(count, 'text')}, what GitHub does not show was left out`,
}
