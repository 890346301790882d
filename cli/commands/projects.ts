import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { getInbox } from '#intake'
import { findProject, listProjects, removeProject } from '#projects'
import { startBackground } from '../background.ts'
import { defineCommand, UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { readConfigOrDefaults } from '../input/session.ts'
import { printAdded, printDiscovered, printProject, printProjects } from '../output/projects-view.ts'
import { print } from '../output/terminal.ts'
import { readInboxState } from '../projects/inbox-state.ts'
import { discoverProjects, registerProject } from '../projects/register.ts'

const actions = ['ls', 'show', 'add', 'discover', 'rm']

export const command = defineCommand({
  about: `
Registers repositories by a name. Each gets an inbox, .agent-queue/inbox/: a Markdown file that you move there is put into the queue.
Git ignores that folder (.git/info/exclude). See docs/inbox.md.

  dispatch projects                  the registered ones
  dispatch projects add [DIR]        register a repository (default: the one here)
  dispatch projects show api         one of them, and what is in its inbox
  dispatch projects discover DIR     repositories below DIR that have an inbox
  dispatch projects rm api           forget it; its files stay
`,
  usage: 'projects [action] [name or folder] [options]',
  options: {
    name: { type: 'string', value: 'NAME', about: 'with add: its name (default: made from the folder)' },
    prefix: { type: 'string', value: 'WORD', about: 'with add: a short word for its tickets, such as api' },
    remote: { type: 'string', value: 'REMOTE', about: 'with add: where its work goes (default: origin)' },
    branch: {
      type: 'string',
      value: 'BRANCH',
      about: "with add: onto which branch (default: the remote's main branch)",
    },
    'max-sessions': {
      type: 'string',
      value: 'COUNT',
      about: 'with add: so many at once, in place of MAX_SESSIONS_PROJECT',
    },
    add: { type: 'boolean', about: 'with discover: register what is not' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  choices: {
    action: () => actions,
    name: () => listProjects(readConfigOrDefaults().home).map(({ name }) => name),
  },
  async run({ json, add, ...choice }, [action = 'ls', name]) {
    const config = readConfig()
    const tell = (value: object, printText: () => void) => (json ? print(JSON.stringify(value)) : printText())
    if (action === 'add') {
      await refuseAgent('projects')
      const added = await registerProject(config, name ?? '.', choice)
      await startBackground(config)
      tell(added.project, () => printAdded(added.project, { ...added, inbox: getInbox(added.project.path) }))
    } else if (action === 'discover') {
      if (name === undefined) throw new UsageError('below which folder? Name it', 'dispatch projects discover DIR')
      if (add) await refuseAgent('projects')
      for (const found of add ? discoverProjects(config, name) : []) await registerProject(config, found.path, {})
      if (add) await startBackground(config)
      const found = discoverProjects(config, name)
      tell({ repositories: found }, () => printDiscovered(found, name))
    } else if (action === 'ls') {
      const projects = listProjects(config.home)
      tell({ projects }, () => printProjects(projects))
    } else {
      if (!actions.includes(action))
        throw new UsageError(`projects has no action "${action}"`, `Write one of: ${actions.join(', ')}`)
      if (name === undefined) throw new UsageError('which project? Name it', 'Run `dispatch projects`.')
      const project = findProject(config.home, name)
      if (action === 'rm') {
        await refuseAgent('projects')
        removeProject(config.home, project)
        tell(project, () => print(`${project.name} is forgotten. Its files stay: ${project.path}`))
      } else {
        const inbox = await readInboxState(config, project)
        tell({ ...project, inbox }, () => printProject(project, inbox))
      }
    }
    return exitCodes.ok
  },
})
