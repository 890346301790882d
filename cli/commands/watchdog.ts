import { type Config, createConfigReader, readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { enqueueMissedNotifications, startDeliverer } from '#notify'
import { launchSuccessor } from '#runner'
import { readAllViews } from '#session/status'
import { reviveSessions } from '#watchdog'
import { defineCommand } from '../command.ts'
import { drainExternalEvents } from '../external-sessions.ts'
import { print } from '../output/terminal.ts'
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
      await checkSessions(config, known)
      return exitCodes.ok
    }
    const fresh = createConfigReader(config, printLine)
    for (;;) {
      await checkSessions(fresh(), known).catch(error =>
        printLine(error instanceof Error ? (error.stack ?? error.message) : `${error}`),
      )
      await new Promise(resolve => setTimeout(resolve, 5000))
    }
  },
})

async function checkSessions(config: Config, known: Map<string, number>): Promise<void> {
  const views = await readAllViews(config.workspace)
  for (const id of await reviveSessions(views, config, launchSuccessor)) printLine(`a new runner for ${id}`)
  enqueueMissedNotifications(views, config, known)
  drainExternalEvents(config)
  await startDeliverer(config)
}

function printLine(words: string): void {
  print(`${new Date().toISOString()} ${words}`)
}
