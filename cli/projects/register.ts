import path from 'node:path'
import type { Config } from '#host/config'
import { findCheckout } from '#host/git'
import { excludePattern } from '#host/git/inbox'
import { createInbox, INBOX_FOLDER, QUEUE_FOLDER } from '#intake'
import {
  addProject,
  discoverRepositories,
  findTarget,
  listProjects,
  proposeNames,
  RegisteredProject,
  updateProject,
} from '#projects'
import { UsageError } from '../command.ts'

/** What a person may choose about a project; what is left out is proposed. */
export interface ProjectChoice {
  name?: string
  prefix?: string
  remote?: string
  branch?: string
  'max-sessions'?: string
  /** How its work lands by itself: squash, rebase, merge or off. */
  land?: string
  'land-as'?: string
  /** In place of the ones that it has; `off` for none. */
  gate?: string[]
  /** The issues that start by themselves: label:NAME, milestone:NAME or off. */
  issues?: string
  /** Is what comes back to its pull requests settled by itself: follow or off. */
  'pull-requests'?: string
}

/**
 * Register the repository with this folder, make its inbox, and have git ignore that. A repository that is registered keeps its
 * entry, and gets back what is missing. Exit 2 for a folder without a repository, 5 for a name that is taken or an inbox that
 * cannot be trusted.
 */
export async function registerProject(
  config: Config,
  folder: string,
  choice: ProjectChoice,
): Promise<{ project: RegisteredProject; isNew: boolean }> {
  const checkout = await findCheckout(path.resolve(folder))
  if (checkout === undefined)
    throw new UsageError(`${folder} is not a git repository with a work tree`, 'Name one: dispatch projects add DIR')
  const isOwn = [config.home, config.cloneFolder].some(own => `${checkout.path}/`.startsWith(`${own}/`))
  if (isOwn) throw new UsageError(`${checkout.path} belongs to dispatch`, 'Name your own checkout.')
  const projects = listProjects(config.home)
  const known = projects.find(project => project.path === checkout.path)
  const isNew = known === undefined || Object.keys(choice).length > 0
  const project =
    known !== undefined && !isNew
      ? known
      : createProject(
          { ...proposeNames(checkout.path, projects), ...(await findTarget(checkout.path)) },
          checkout.path,
          choice,
        )
  if (known !== undefined && isNew) addProject(config.home, project) // It says that the path is taken.
  createInbox(checkout.path)
  await excludePattern(checkout.path, `/${QUEUE_FOLDER}/`)
  if (isNew) addProject(config.home, project)
  return { project, isNew }
}

/** Change what was said about a project, besides its name, its prefix and its folder. Exit 2 for a value that is not valid. */
export function changeProject(config: Config, project: RegisteredProject, choice: ProjectChoice): RegisteredProject {
  const { remote = project.remote, branch = project.targetBranch, 'max-sessions': maxSessions } = choice
  const changed = parseProject(
    {
      ...project,
      remote,
      targetBranch: branch,
      maxSessions: maxSessions === undefined ? project.maxSessions : Number(maxSessions),
      landing: buildLanding(project.landing, choice),
      gates: choice.gate === undefined ? project.gates : choice.gate.filter(command => command !== 'off'),
      issues: choose(choice.issues, project.issues),
      pullRequests: choose(choice['pull-requests'], project.pullRequests),
    },
    choice,
  )
  updateProject(config.home, changed)
  return changed
}

/** The repositories below a folder that have an inbox, and the name of those that are registered. */
export function discoverProjects(config: Config, folder: string): { path: string; name: string | null }[] {
  const projects = listProjects(config.home)
  return discoverRepositories(folder, INBOX_FOLDER).map(found => ({
    path: found,
    name: projects.find(project => project.path === found)?.name ?? null,
  }))
}

// --- internal ---

type Proposal = ReturnType<typeof proposeNames> & Awaited<ReturnType<typeof findTarget>>

function createProject(proposal: Proposal, folder: string, choice: ProjectChoice): RegisteredProject {
  const { name, prefix, remote, branch, 'max-sessions': maxSessions } = choice
  const project = {
    name: name ?? proposal.name,
    prefix: prefix ?? proposal.prefix,
    path: folder,
    remote: remote ?? proposal.remote,
    targetBranch: branch ?? proposal.targetBranch,
    maxSessions: maxSessions === undefined ? null : Number(maxSessions),
    landing: buildLanding(null, choice),
    gates: choice.gate?.filter(command => command !== 'off') ?? [],
    issues: choose(choice.issues, null),
    pullRequests: choose(choice['pull-requests'], null),
    addedAt: new Date().toISOString(),
  }
  return parseProject(project, choice)
}

/** What was said, where `off` is nothing; else what was said before. */
function choose(said: string | undefined, before: string | null): string | null {
  return said === undefined ? before : said === 'off' ? null : said
}

/** What began before it was said does not land by itself. */
function buildLanding(before: RegisteredProject['landing'], { land, 'land-as': author }: ProjectChoice) {
  if (land === 'off' || (land === undefined && before === null)) {
    if (author === undefined) return null
    throw new UsageError('--land-as needs --land', 'Say how: --land squash, rebase or merge')
  }
  const since = before?.since ?? new Date().toISOString()
  return { method: land ?? before?.method, author: author ?? before?.author ?? 'me', since }
}

function parseProject(project: object, choice: ProjectChoice): RegisteredProject {
  const parsed = RegisteredProject.safeParse(project)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const [field, part] = issue?.path.map(String) ?? []
  if (field === 'maxSessions')
    throw new UsageError(`--max-sessions takes a number from 1 to 99, not "${choice['max-sessions']}"`)
  const names: Record<string, string> = { gates: 'gate', pullRequests: 'pull-requests' }
  const option = field === 'landing' ? (part === 'author' ? 'land-as' : 'land') : (names[field ?? ''] ?? field)
  throw new UsageError(`--${option} ${issue?.message}`)
}
