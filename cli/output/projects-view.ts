import { formatCount, sanitize } from '#host/text.ts'
import type { RegisteredProject } from '#projects'
import type { InboxState } from '../projects/inbox-state.ts'
import { fitTable, paint, print, shorten } from './terminal.ts'

/** One line a project; where no task is taken from its inbox, why not. */
export function printProjects(projects: (RegisteredProject & { problem: string | null })[]): void {
  if (projects.length === 0) return print('There are no projects. To add one: dispatch projects add DIR')
  const rows = projects.map(({ name, prefix, path, targetBranch, problem }) => [
    name,
    paint('dim', prefix),
    sanitize(targetBranch ?? ''),
    problem === null ? sanitize(path) : paint('yellow', sanitize(problem)),
  ])
  print(fitTable(rows, PATH_COLUMN, shorten))
}

/** A project, and what is in its inbox. */
export function printProject(project: RegisteredProject, inbox: InboxState): void {
  const { name, prefix, path, remote, targetBranch, maxSessions, landing, gates, issues, pullRequests } = project
  const target = [remote, targetBranch].filter(part => part !== null).join(', branch ')
  const rows = [
    ['path', path],
    ['prefix', prefix],
    ['target', target],
    ['at once', maxSessions === null ? '' : formatCount(maxSessions, 'session')],
    ['lands', landing === null ? '' : `by itself, by ${landing.method}, author: ${landing.author}`],
    ...gates.map(command => ['gate', command]),
    ...(issues === null ? [] : [['issues', `${issues}, by themselves`]]),
    ['reviews', pullRequests === null ? '' : PULL_REQUESTS_TEXT],
    ['inbox', inbox.folder],
    ['problem', inbox.problem ?? ''],
  ]
  print(name)
  for (const [label = '', value = ''] of rows) if (value !== '') print(`  ${label.padEnd(8)} ${sanitize(value)}`)
  for (const file of inbox.files)
    print(`    ${sanitize(file.name)}: ${file.reason === null ? 'waits' : paint('yellow', sanitize(file.reason))}`)
}

/** What was registered, and how a task gets in. */
export function printAdded(
  { name, prefix, path }: RegisteredProject,
  { isNew, inbox, problem }: { isNew: boolean; inbox: string; problem: string | undefined },
): void {
  print(
    isNew
      ? `${name} (${prefix}) is registered: ${sanitize(path)}`
      : `${name} was registered already; its inbox is in order`,
  )
  print(paint('dim', `  A file that you move to ${sanitize(inbox)}/ becomes a task, such as fix-the-login.md`))
  if (problem !== undefined) print(paint('yellow', sanitize(problem)))
}

/** A repository that could not be registered. */
export interface DiscoverFailure {
  path: string
  reason: string
}

/** Repositories with an inbox, and the names of those that are registered. */
export function printDiscovered(
  found: { path: string; name: string | null }[],
  folder: string,
  failures: DiscoverFailure[] = [],
): void {
  if (found.length === 0) return print(`No repository below ${sanitize(folder)} has an inbox (.agent-queue/inbox).`)
  const reasons = new Map(failures.map(({ path, reason }) => [path, sanitize(reason)]))
  for (const { path, name } of found)
    print(
      `${sanitize(path)}  ${[name ?? paint('yellow', 'not registered'), reasons.get(path)].filter(Boolean).join(': ')}`,
    )
  if (failures.length === 0 && found.some(({ name }) => name === null))
    print(paint('dim', '\nTo register them: dispatch projects discover DIR --add'))
}

// --- internal ---

const PULL_REQUESTS_TEXT = 'dispatch settles red checks, comments and conflicts of its pull requests'

const PATH_COLUMN = 3
