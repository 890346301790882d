import { UsageError } from '../command.ts'
import { queueOptions } from './queue-options.ts'
import { taskOptions } from './task-options.ts'

const { file: _file, 'no-repo': _noRepo, repo: _repo, ...sessionOptions } = queueOptions

const sessionNames = Object.keys(sessionOptions) as (keyof typeof sessionOptions)[]
const isForNow = (name: string) => !['after', 'at', 'priority', 'tag', 'needs'].includes(name)

/** The options of `dispatch issue`: those of `dispatch later`, and what becomes of the claim. */
export const issueOptions = {
  now: { type: 'boolean', about: 'start its session now, as dispatch "task" does' },
  wait: { ...taskOptions.wait, about: 'with --now: wait for the verdict, and exit with it' },
  release: { type: 'boolean', about: 'give it back: delete its branch and its comment' },
  'take-over': { type: 'boolean', about: 'claim it although a machine has it that is gone' },
  repo: {
    type: 'string',
    value: 'DIR',
    about: 'the checkout whose remote has the issue (default: the one of the current folder)',
  },
  remote: { type: 'string', value: 'REMOTE', about: 'the remote whose issues are meant (default: origin)' },
  ...sessionOptions,
} as const

/** What `dispatch issue` takes: a session that starts now waits for nothing in the queue. */
export const issueForms = {
  options: {
    '<number>': ['take-over', 'repo', 'remote', ...sessionNames],
    '<number> --now': ['now', 'wait', 'take-over', 'repo', 'remote', ...sessionNames.filter(isForNow)],
    '<number> --release': ['release', 'repo', 'remote', 'json'],
  } as Record<string, (keyof typeof issueOptions)[]>,
  choose: ({ release, now }: { release?: boolean; now?: boolean }) =>
    release ? '<number> --release' : now ? '<number> --now' : '<number>',
}

/** The number of an issue, as `42` or `#42`. Exit 2 for anything else. */
export function parseIssueNumber(text: string): number {
  const [, digits] = /^#?([1-9]\d{0,8})$/.exec(text) ?? []
  if (digits !== undefined) return Number(digits)
  throw new UsageError(`"${text}" is not the number of an issue`, 'Write it, such as: dispatch issue 42')
}
