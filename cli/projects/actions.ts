import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { explainPrivateFolders, isServiceInstalled } from '#host/user-service'
import { requireGitToLand } from '#host/versions.ts'
import { findFolderProblem, getInbox } from '#intake'
import { findProject, listProjects, type RegisteredProject, removeProject } from '#projects'
import { wakeQueue } from '#queue'
import { startBackground } from '../background.ts'
import { UsageError } from '../command.ts'
import { confirmAction, refuseAgent } from '../input/confirm.ts'
import {
  type DiscoverFailure,
  printAdded,
  printDiscovered,
  printProject,
  printProjects,
} from '../output/projects-view.ts'
import { print } from '../output/terminal.ts'
import { readInboxState } from './inbox-state.ts'
import { changeProject, discoverProjects, type ProjectChoice, registerProject } from './register.ts'

/** What was typed after `dispatch projects <action>`. */
interface ActionRequest {
  config: Config
  /** A name, or a folder. */
  name: string | undefined
  choice: ProjectChoice
  /** With `discover`: register what is not, after asking, or with a yes in advance. */
  add: boolean
  yes: boolean
  json: boolean
}

/** What an action found or did: as a value for `--json`, and as text. */
interface ActionResult {
  value: object
  printText(): void
  exitCode?: number
}

/** The actions of `dispatch projects`. Exit 2 for a missing name, 4 for an unknown one; for others see `registerProject`. */
export const projectActions: Record<string, (request: ActionRequest) => Promise<ActionResult>> = {
  async ls({ config }) {
    const projects = listProjects(config.home).map(project => ({
      ...project,
      problem: findFolderProblem(project.path) ?? null,
    }))
    return { value: { projects }, printText: () => printProjects(projects) }
  },

  async show(request) {
    const project = requireProject(request)
    const inbox = await readInboxState(request.config, project)
    return { value: { ...project, inbox }, printText: () => printProject(project, inbox) }
  },

  async add({ config, name, choice }) {
    await refuseAgent('projects')
    await requireGitFor(config, choice)
    const { project, isNew } = await registerProject(config, name ?? '.', choice)
    await startBackground(config) // The daemon looks at the inbox.
    const problem = isServiceInstalled(config.home) ? explainPrivateFolders([project.path]) : undefined
    return { value: project, printText: () => printAdded(project, { isNew, inbox: getInbox(project.path), problem }) }
  },

  async set(request) {
    await refuseAgent('projects')
    const { config, choice } = request
    const known = requireProject(request)
    await requireGitFor(config, choice)
    const project = changeProject(config, known, choice)
    wakeQueue(config.home)
    if (project.landing ?? project.issues ?? project.pullRequests) await startBackground(config) // The daemon does it.
    const inbox = await readInboxState(config, project)
    return { value: project, printText: () => printProject(project, inbox) }
  },

  async discover({ config, name, add, yes, json }) {
    if (name === undefined) throw new UsageError('below which folder? Name it', 'dispatch projects discover DIR')
    const failures = add ? await addDiscovered(config, name, { yes, json }) : []
    const repositories = discoverProjects(config, name)
    return {
      value: add ? { repositories, failures } : { repositories },
      printText: () => printDiscovered(repositories, name, failures),
      exitCode: failures.length > 0 ? exitCodes.conflict : exitCodes.ok,
    }
  },

  async rm(request) {
    const project = requireProject(request)
    await refuseAgent('projects')
    removeProject(request.config.home, project)
    return { value: project, printText: () => print(`${project.name} is forgotten. Its files stay: ${project.path}`) }
  },
}

// --- internal ---

/** Exit 6 where work is to land by itself, and git is too old for that. */
async function requireGitFor(config: Config, { land }: ProjectChoice): Promise<void> {
  if (land !== undefined && land !== 'off') await requireGitToLand(config)
}

/** Register what is not, after asking once. What cannot be registered stops nothing else: it is returned, with the reason. */
async function addDiscovered(
  config: Config,
  folder: string,
  { yes, json }: { yes: boolean; json: boolean },
): Promise<DiscoverFailure[]> {
  await refuseAgent('projects')
  const found = discoverProjects(config, folder)
  const added = found.filter(({ name }) => name === null)
  if (added.length > 0 && !yes) {
    if (json) throw new UsageError('discover --add --json does not ask', 'Add --yes.')
    printDiscovered(added, folder)
    if (!(await confirmAction(`Register ${added.length === 1 ? 'it' : 'them'}?`, 'projects discover'))) return []
  }
  const failures: DiscoverFailure[] = []
  for (const { path } of found) {
    try {
      await registerProject(config, path, {})
    } catch (error) {
      const known = toStorageError(path, error)
      if (!(known instanceof DispatchError)) throw error
      failures.push({ path, reason: known.message })
    }
  }
  await startBackground(config)
  return failures
}

function requireProject({ config, name }: ActionRequest): RegisteredProject {
  if (name === undefined) throw new UsageError('which project? Name it', 'Run `dispatch projects`.')
  return findProject(config.home, name)
}
