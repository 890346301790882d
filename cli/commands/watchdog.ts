import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, createConfigReader, readConfig } from '#host/config'
import { enqueueMissedNotifications, startDeliverer } from '#notify'
import { launchSuccessor } from '#runner'
import { readAllViews } from '#session/status'
import { reviveSessions } from '#watchdog'
import { defineCommand } from '../command.ts'
import { enqueueExternalEvents } from '../external-sessions.ts'
import { print } from '../output/terminal.ts'

const CHECK_INTERVAL_MS = 5000

export const command = defineCommand({
  about: `
Starts one new runner for every unfinished session that has lost its own; the new runner continues where the old one
stopped. Also delivers notifications that are waiting, and notifies you of claude sessions that dispatch did not start
(\`dispatch setup --hooks\`). \`dispatch "task"\` starts the watchdog in the background.
`,
  options: { watch: { type: 'boolean', about: 'check again every five seconds, forever' } },
  async run(values) {
    const config = readConfig()
    const known = new Map<string, number>()
    if (!values.watch) {
      await checkSessions(config, known)
      return
    }
    const readCurrentConfig = createConfigReader(config, printLine)
    for (;;) {
      await checkSessions(readCurrentConfig(), known).catch(error =>
        printLine(error instanceof Error ? (error.stack ?? error.message) : `${error}`),
      )
      await sleep(CHECK_INTERVAL_MS)
    }
  },
})

async function checkSessions(config: Config, known: Map<string, number>): Promise<void> {
  const views = await readAllViews(config.workspace)
  for (const id of await reviveSessions(views, config, launchSuccessor)) printLine(`started a new runner for ${id}`)
  enqueueMissedNotifications(views, config, known)
  enqueueExternalEvents(config)
  await startDeliverer(config)
}

function printLine(text: string): void {
  print(`${new Date().toISOString()} ${text}`)
}
