import path from 'node:path'
import { installFolder } from '#host/config'
import { listNames } from '#host/fs'
import { drainOutbox } from '#notify'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  about: `
Runs a whole session with scripted models. Everything else is real: dispatch, claude, tmux, git, hooks, checks and the
judge's client talk to a server on this machine that plays the models. Free and offline. The session's folder stays.
`,
  options: { list: { type: 'boolean', about: 'list the scenarios, with a line on each' } },
  choices: { scenario: listScenarioNames },
  async run(values, [name]) {
    const { printScenarios, rehearse } = await import('#rehearsal')
    return values.list ? printScenarios() : rehearse(name, drainOutbox)
  },
})

/** Reads the folder instead of loading rehearsal/, which takes a third of a start: Tab must be quick. */
function listScenarioNames(): string[] {
  return listNames(path.join(installFolder, 'rehearsal/scenarios')).map(file => path.basename(file, '.ts'))
}
