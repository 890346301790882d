import { parseArgs } from 'node:util'
import { exits, readConfig } from '../../host/index.ts'
import { startSuccessor } from '../../runner/index.ts'
import { revive } from '../../watchdog/index.ts'
import { print } from '../terminal.ts'
import type { Command } from './index.ts'

const help = `
usage: dispatch watchdog [--watch]

Gives every unfinished session whose runner is dead exactly one new runner, which goes on where the old one stopped.
With --watch it looks again every five seconds, for ever; \`dispatch "task"\` starts that by itself.
`

export const command: Command = {
  help,
  async run(words) {
    const { values } = parseArgs({ args: words, options: { watch: { type: 'boolean' } } })
    const config = readConfig()
    for (;;) {
      for (const id of await revive(config, startSuccessor)) print(`${new Date().toISOString()} a new runner for ${id}`)
      if (!values.watch) return exits.ok
      await new Promise(resolve => setTimeout(resolve, 5000))
    }
  },
}
