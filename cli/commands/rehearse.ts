import path from 'node:path'
import { installFolder } from '#host/config'
import { listNames } from '#host/fs'
import { drainOutbox } from '#notify'
import { defineCommand } from '../command.ts'
export const command = defineCommand({
  about: `
The whole path with scripted models: the real dispatch, claude, tmux, git, hooks, checks and judge client, against a server
on this machine that plays the models. Free and offline. The session's folder stays, and you are told where.
`,
  options: { list: { type: 'boolean', about: 'the names of the scenarios, with a line on each' } },
  choices: { scenario: scenarioNames },
  async run(values, words) {
    const { printScenarios, rehearse } = await import('#rehearsal')
    return values.list ? printScenarios() : rehearse(words[0], drainOutbox)
  },
})

/** Reads the folder itself: loading rehearsal/ takes a third of a start, and Tab must be quick. */
function scenarioNames(): string[] {
  return listNames(path.join(installFolder, 'rehearsal/scenarios')).map(file => path.basename(file, '.ts'))
}
