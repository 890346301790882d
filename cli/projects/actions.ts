import type { Config } from '#host/config'
import { getInbox } from '#intake'
import { findProject, listProjects, type RegisteredProject, removeProject } from '#projects'
import { startBackground } from '../background.ts'
import { UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { printAdded, printDiscovered, printProject, printProjects } from '../output/projects-view.ts'
import { print } from '../output/terminal.ts'
import { readInboxState } from './inbox-state.ts'
import { discoverProjects, type ProjectChoice, registerProject } from './register.ts'

/** What was typed after `dispatch projects <action>`. */
interface ActionRequest {
  config: Config
  /** A name, or a folder. */
  name: string | undefined
  choice: ProjectChoice
  /** With `discover`: register what is not. */
  add: boolean
}

/** What an action found or did: as a value for `--json`, and as text. */
interface ActionResult {
  value: object
  printText(): void
}

/** The actions of `dispatch projects`. Exit 2 for a missing name, 4 for an unknown one; for others see `registerProject`. */
export const projectActions: Record<string, (request: ActionRequest) => Promise<ActionResult>> = {
  async ls({ config }) {
    const projects = listProjects(config.home)
    return { value: { projects }, printText: () => printProjects(projects) }
  },

  async show(request) {
    const project = requireProject(request)
    const inbox = await readInboxState(request.config, project)
    return { value: { ...project, inbox }, printText: () => printProject(project, inbox) }
  },

  async add({ config, name, choice }) {
    await refuseAgent('projects')
    const { project, isNew } = await registerProject(config, name ?? '.', choice)
    await startBackground(config) // The daemon looks at the inbox.
    return { value: project, printText: () => printAdded(project, { isNew, inbox: getInbox(project.path) }) }
  },

  async discover({ config, name, add }) {
    if (name === undefined) throw new UsageError('below which folder? Name it', 'dispatch projects discover DIR')
    if (add) {
      await refuseAgent('projects')
      for (const { path } of discoverProjects(config, name)) await registerProject(config, path, {})
      await startBackground(config)
    }
    const repositories = discoverProjects(config, name)
    return { value: { repositories }, printText: () => printDiscovered(repositories, name) }
  },

  async rm(request) {
    const project = requireProject(request)
    await refuseAgent('projects')
    removeProject(request.config.home, project)
    return { value: project, printText: () => print(`${project.name} is forgotten. Its files stay: ${project.path}`) }
  },
}

// --- internal ---

function requireProject({ config, name }: ActionRequest): RegisteredProject {
  if (name === undefined) throw new UsageError('which project? Name it', 'Run `dispatch projects`.')
  return findProject(config.home, name)
}
