import { sanitize, toOneLine } from '#host/text.ts'
import type { OpenResult } from '../pull-request/open.ts'
import { formatTitle, paint, print } from './terminal.ts'

/** Print where the pull request is, and what GitHub did not take. */
export function printPullRequest({
  session,
  number,
  url,
  branch,
  base,
  isDraft,
  isNew,
  warning,
  problems,
}: OpenResult) {
  print(formatTitle(session.id))
  const label = isDraft ? 'draft  ' : 'request'
  print(`  ${label}  ${paint('green', `#${number}`)} ${isNew ? 'is open' : 'is up to date'}: ${sanitize(url)}`)
  print(`  branch   ${paint('bold', sanitize(branch))} into ${sanitize(base)}`)
  if (warning !== undefined) print(`  verdict  ${paint('red', sanitize(warning))}`)
  for (const problem of problems) print(`  ${paint('yellow', 'problem')}  ${toOneLine(problem, MAX_PROBLEM_CHARS)}`)
}

/** The same for `--json`. */
export function toPullRequestJson({ session, ...result }: OpenResult) {
  return { id: session.id, ...result, warning: result.warning ?? null }
}

// --- internal ---

const MAX_PROBLEM_CHARS = 300
