import { type Config, exits, freshConfig, readConfig } from '../../host/index.ts'
import { layOutUnsaid, wake } from '../../notify/index.ts'
import { startSuccessor } from '../../runner/index.ts'
import { viewAll } from '../../session/index.ts'
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
    const known = new Map<string, number>()
    if (!values.watch) {
      await look(config, known)
      return exits.ok
    }
    const fresh = freshConfig(config, say)
    for (;;) {
      await look(fresh(), known).catch(error =>
        say(error instanceof Error ? (error.stack ?? error.message) : `${error}`),
      )
      await new Promise(resolve => setTimeout(resolve, 5000))
    }
  },
})

async function look(config: Config, known: Map<string, number>): Promise<void> {
  const views = await viewAll(config.workspace)
  for (const id of await revive(views, config, startSuccessor)) say(`a new runner for ${id}`)
  layOutUnsaid(views, config, known)
  drainElsewhere(config)
  await wake(config)
}

function say(words: string): void {
  print(`${new Date().toISOString()} ${words}`)
}
