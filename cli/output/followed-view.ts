import { formatCount, sanitize, toOneLine } from '#host/text.ts'
import type { PullRequestRecord } from '../pull-request/record.ts'
import { formatTitle, paint, print } from './terminal.ts'

/** Print where a pull request is that is followed, and whose words were not read. */
export function printFollowed(record: PullRequestRecord): void {
  const { number, url, sessions } = record
  print(formatTitle(sessions.at(-1) ?? ''))
  print(`  request  #${number}: ${sanitize(url)}`)
  printFollowedState(record)
}

/** Its state on lines of their own. */
export function printFollowedState(record: PullRequestRecord): void {
  const { state, reason, attempt, retries, ignored, sessions, failure } = record
  const color = state === 'needs you' ? 'red' : state === 'ended' && reason !== 'merged' ? 'yellow' : 'green'
  const detail = reason === '' ? '' : `: ${toOneLine(sanitize(reason), MAX_LINE_CHARS)}`
  if (attempt !== null || state !== 'open') print(`  state    ${paint(color, state)}${detail}`)
  if (failure !== null && failure.reason !== reason)
    print(`  problem  ${toOneLine(sanitize(failure.reason), MAX_LINE_CHARS)}`)
  if (state === 'retrying') print(`  attempt  ${retries}, ${sanitize(attempt?.item ?? 'about to be queued')}`)
  for (const { title, url } of state === 'open' || state === 'ended' ? [] : (attempt?.findings ?? []))
    print(`  finding  ${toOneLine(sanitize(`${title} ${url}`), MAX_LINE_CHARS)}`)
  for (const { author, association, count } of ignored)
    print(`  not read ${formatCount(count, 'comment')} of @${sanitize(author)} (${sanitize(association)})`)
  if (state === 'needs you')
    print(`  next     settle it, then: dispatch pr ${(sessions.at(-1) ?? '').slice(-4)} --follow`)
}

/** The same for `--json`. */
export function toFollowedJson(record: PullRequestRecord) {
  const { number, url, branch, base, sessions, state, reason, retries, attempt, ignored, failure } = record
  return {
    ...{ id: sessions.at(-1), number, url, branch, base, sessions, state, reason, retries, ignored },
    failure: failure?.reason ?? null,
    item: attempt?.item ?? null,
    findings: attempt?.findings.map(({ kind, title, url: address }) => ({ kind, title, url: address })) ?? [],
    outcome: attempt?.outcome ?? null,
  }
}

// --- internal ---

const MAX_LINE_CHARS = 300
