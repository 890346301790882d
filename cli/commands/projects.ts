import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { listProjects } from '#projects'
import { defineCommand, listActions } from '../command.ts'
import { projectForms, projectOptions } from '../input/project-options.ts'
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
  options: projectOptions,
  forms: projectForms,
  choices: {
    what: () => listActions(projectForms),
    name: () => listProjects(readConfigOrDefaults().home).map(({ name }) => name),
  },
  async run({ json = false, add = false, yes = false, ...choice }, [action = 'ls', name]) {
    const run = projectActions[action]
    if (run === undefined) throw new Error(`projects ${action} does nothing`)
    const { value, printText, exitCode } = await run({ config: readConfig(), name, choice, add, yes, json })
    if (json) print(JSON.stringify(value))
    else printText()
    return exitCode ?? exitCodes.ok
  },
})
