import { type LandingAuthor, type LandingMethod, landingAuthors, landingMethods } from '#session/landing'
import { type OptionValues, UsageError } from '../command.ts'

/** The options of `dispatch land`. */
export const landingOptions = {
  into: { type: 'string', value: 'BRANCH', about: 'the branch (default: the one that the session started from)' },
  method: { type: 'string', value: 'HOW', about: 'squash (default), rebase (commit by commit) or merge' },
  author: { type: 'string', value: 'WHO', about: 'me (default), worker, or both: you, with the worker as co-author' },
  queue: { type: 'boolean', about: 'return at once, and land in the background' },
  after: { type: 'string', multiple: true, value: 'SID', about: 'with --queue: not before this session has landed' },
  order: { type: 'boolean', about: 'in the order in which the sessions are named, not the smallest first' },
  'dry-run': { type: 'boolean', about: 'find out all of it, and push nothing' },
  push: { type: 'boolean', about: 'push to the branch (this is the default)' },
  'pull-request': {
    type: 'boolean',
    about: 'by a pull request on GitHub, when its checks are green and it is approved',
  },
  'without-checks': { type: 'boolean', about: 'with --pull-request: merge also where no check is reported' },
  repo: { type: 'string', value: 'DIR', about: 'the checkout (default: the one that the session started from)' },
  until: { type: 'string', value: 'HH:MM', about: 'with pause: end it at this time' },
  force: { type: 'boolean', about: 'land although it is paused' },
  all: { type: 'boolean', about: 'with ls: also what has ended' },
  json: { type: 'boolean', about: 'print one JSON object a line instead of text, and never ask' },
} as const

/** How the sessions are to land. Exit 2 for a value that is not valid, or options that exclude each other. */
export function parseLandingOptions(values: OptionValues<typeof landingOptions>) {
  const { method = 'squash', author = 'me', after = [], into, repo } = values
  const isDryRun = values['dry-run'] ?? false
  if (!isOneOf(landingMethods, method)) throw new UsageError(`--method must be squash, rebase or merge: "${method}"`)
  if (!isOneOf(landingAuthors, author)) throw new UsageError(`--author must be me, worker or both: "${author}"`)
  if (values.push && isDryRun) throw new UsageError('--push and --dry-run exclude each other')
  if (values.queue && isDryRun) throw new UsageError('--queue and --dry-run exclude each other')
  if (values.force && (values.queue || isDryRun))
    throw new UsageError(
      `--force belongs to landing now, and not to ${values.queue ? '--queue' : '--dry-run'}`,
      'What is queued lands when the pause has ended: dispatch land unpause',
    )
  const byPullRequest = values['pull-request'] ?? false
  const allowsNoChecks = values['without-checks'] ?? false
  if (byPullRequest && (values.queue || isDryRun || values.push))
    throw new UsageError('--pull-request excludes --push, --queue and --dry-run')
  if (allowsNoChecks && !byPullRequest) throw new UsageError('--without-checks needs --pull-request')
  if (after.length > 0 && !values.queue) throw new UsageError('--after needs --queue', 'Add --queue.')
  const wish: { method: LandingMethod; author: LandingAuthor } = { method, author }
  return {
    ...wish,
    into,
    repo,
    after,
    isDryRun,
    byPullRequest,
    allowsNoChecks,
    keepsOrder: values.order ?? false,
    ignoresPause: values.force ?? false,
  }
}

/** What each action of `dispatch land` takes, and landing itself. */
export const landingForms = {
  options: {
    '<sid…>': [
      ...['into', 'method', 'author', 'queue', 'after', 'order', 'dry-run', 'push', 'pull-request', 'without-checks'],
      ...['repo', 'force', 'json'],
    ] as (keyof typeof landingOptions)[],
    ls: ['all', 'json'],
    'drop <sid…>': ['json'],
    pause: ['repo', 'until', 'json'],
    unpause: ['repo', 'json'],
    'run [queue]': ['repo', 'json'],
  },
  choose(_values: object, [first = '']: string[]) {
    return Object.keys(landingForms.options).find(form => form.split(' ')[0] === first) ?? '<sid…>'
  },
} as const

// --- internal ---

function isOneOf<Word extends string>(words: readonly Word[], word: string): word is Word {
  return words.some(each => each === word)
}
