import { exits, readConfig } from '../../host/index.ts'
import { wake } from '../../notify/index.ts'
import { startSuccessor } from '../../runner/index.ts'
import { revive } from '../../watchdog/index.ts'
import { defineCommand } from '../command.ts'
import { drainElsewhere } from '../elsewhere.ts'
import { print } from '../terminal.ts'

export const command = defineCommand({
  about: `
Gives every unfinished session whose runner is dead exactly one new runner, which goes on where the old one stopped; sees
to it that notices which wait are delivered; and pushes what sessions that dispatch did not launch have to say (\`dispatch setup --hooks\`).
With --watch it looks again every five seconds, for ever; \`dispatch "task"\` starts that by itself.
`,
  options: {
    watch: { type: 'boolean', about: 'look again every five seconds, for ever' },
  },
  async run(values) {
    const config = readConfig()
    for (;;) {
      for (const id of await revive(config, startSuccessor)) print(`${new Date().toISOString()} a new runner for ${id}`)
      drainElsewhere(config)
      await wake(config)
      if (!values.watch) return exits.ok
      await new Promise(resolve => setTimeout(resolve, 5000))
    }
  },
})
