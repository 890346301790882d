import { type OptionValues, UsageError } from '../command.ts'
import type { PullRequestOptions } from '../pull-request/open.ts'

/** The options of `dispatch pr`. */
export const pullRequestOptions = {
  draft: { type: 'boolean', about: 'open it as a draft, also without a valid PASS' },
  follow: { type: 'boolean', about: 'look at what comes back until it is merged, and have it settled' },
  once: { type: 'boolean', about: 'look only once; it allows no more attempts than before' },
  base: {
    type: 'string',
    value: 'BRANCH',
    about: 'into which branch (default: the one that the session started from)',
  },
  branch: { type: 'string', value: 'NAME', about: 'the name of the branch (default: dispatch/<sid>)' },
  label: { type: 'string', multiple: true, value: 'NAME', about: 'add this label; may be repeated' },
  reviewer: { type: 'string', multiple: true, value: 'NAME', about: 'ask this person or org/team; may be repeated' },
  closes: {
    type: 'string',
    multiple: true,
    value: 'ISSUE',
    about: 'close this issue when it is merged; may be repeated',
  },
  author: { type: 'string', value: 'WHO', about: 'me (default), worker, or both: you, with the worker as co-author' },
  repo: { type: 'string', value: 'DIR', about: 'the checkout (default: the one that the session started from)' },
  json: { type: 'boolean', about: 'print JSON instead of text, and never ask' },
} as const

/** What a person asked for. Exit 2 for a value that is not valid, or options that exclude each other. */
export function parsePullRequestOptions(
  values: OptionValues<typeof pullRequestOptions>,
): Omit<PullRequestOptions, 'isAtTerminal' | 'say'> & { follows: boolean; isOnce: boolean; changesIt: boolean } {
  const { author = 'me', label: labels = [], reviewer: reviewers = [], closes = [], draft, follow, once } = values
  if (author !== 'me' && author !== 'worker' && author !== 'both')
    throw new UsageError(`--author must be me, worker or both: "${author}"`)
  const wrong = closes.find(issue => !issuePattern.test(issue))
  if (wrong !== undefined) throw new UsageError(`--closes must be an issue such as 12 or owner/name#12: "${wrong}"`)
  const follows = follow ?? once ?? false
  if (draft && follows) throw new UsageError('--draft and --follow exclude each other', 'Open the draft first.')
  return {
    ...{ base: values.base, branch: values.branch, repo: values.repo, isDraft: draft ?? false, author },
    ...{ labels, reviewers, closes: closes.map(issue => (/^\d/.test(issue) ? `#${issue}` : issue)) },
    ...{ follows, isOnce: once ?? false, changesIt: changing.some(name => values[name] !== undefined) },
  }
}

// --- internal ---

/** What is done to a pull request that is there already, before it is followed. */
const changing = ['base', 'branch', 'label', 'reviewer', 'closes', 'author', 'repo'] as const

const issuePattern = /^#?(\d{1,9})$|^[\w.-]+\/[\w.-]+#\d{1,9}$/
