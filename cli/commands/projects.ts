import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { listProjects } from '#projects'
import { defineCommand, UsageError } from '../command.ts'
import { readConfigOrDefaults } from '../input/session.ts'
import { print } from '../output/terminal.ts'
import { projectActions } from '../projects/actions.ts'

export const command = defineCommand({
  about: `
Registers repositories by a name. Each gets an inbox, .agent-queue/inbox/: a Markdown file that you move there is put into the queue.
Git ignores that folder (.git/info/exclude). See docs/inbox.md.

  dispatch projects                  the registered ones
  dispatch projects add [DIR]        register a repository (default: this one)
  dispatch projects show api         one of them, and what is in its inbox
  dispatch projects set api --land squash
                                     its work lands by itself (docs/landing.md)
  dispatch projects discover DIR     repositories below DIR that have an inbox
  dispatch projects rm api           forget it; its files stay
`,
  usage: 'projects [what] [name or folder] [options]',
  options: {
    name: { type: 'string', value: 'NAME', about: 'with add: its name (default: made from the folder)' },
    prefix: { type: 'string', value: 'WORD', about: 'with add: a short word for its tickets, such as api' },
    remote: { type: 'string', value: 'REMOTE', about: 'with add or set: where its work goes (default: origin)' },
    branch: { type: 'string', value: 'BRANCH', about: 'with add or set: onto which branch (default: the main one)' },
    'max-sessions': {
      type: 'string',
      value: 'COUNT',
      about: 'with add or set: so many at once, in place of MAX_SESSIONS_PROJECT',
    },
    land: {
      type: 'string',
      value: 'HOW',
      about: 'with add or set: its work lands by itself: squash, rebase, merge or off',
    },
    'land-as': { type: 'string', value: 'WHO', about: 'with --land: the author: me (default), worker or both' },
    gate: {
      type: 'string',
      multiple: true,
      value: 'COMMAND',
      about: 'with add or set: must be green on what lands, besides the gates of the branch; off: none',
    },
    issues: {
      type: 'string',
      value: 'WHICH',
      about: 'with add or set: issues on GitHub that start by themselves: label:NAME, milestone:NAME, off',
    },
    add: { type: 'boolean', about: 'with discover: register what is not, after asking once' },
    yes: { type: 'boolean', about: 'with discover --add: do not ask' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  choices: {
    what: () => Object.keys(projectActions),
    name: () => listProjects(readConfigOrDefaults().home).map(({ name }) => name),
  },
  async run({ json = false, add = false, yes = false, ...choice }, [action = 'ls', name]) {
    const run = Object.hasOwn(projectActions, action) ? projectActions[action] : undefined
    if (run === undefined)
      throw new UsageError(
        `projects has no action "${action}"`,
        `Write one of: ${Object.keys(projectActions).join(', ')}`,
      )
    const { value, printText, exitCode } = await run({ config: readConfig(), name, choice, add, yes, json })
    if (json) print(JSON.stringify(value))
    else printText()
    return exitCode ?? exitCodes.ok
  },
})
