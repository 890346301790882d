import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, createConfigReader, readConfig } from '#host/config'
import { MINUTE_MS } from '#host/time.ts'
import { enqueueMissedNotifications, getOldestMissedTime, startDeliverer } from '#notify'
import { launchSuccessor } from '#runner'
import { listOpenSessions } from '#session/search-index'
import { reviveSessions } from '#watchdog'
import { defineCommand } from '../command.ts'
import { enqueueExternalEvents } from '../external-sessions.ts'
import { print } from '../output/terminal.ts'

const CHECK_INTERVAL_MS = 5000
/** How often sessions that have ended are looked at too. */
const THOROUGH_INTERVAL_MS = MINUTE_MS

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
      await checkSessions(config, known, true)
      return
    }
    const readCurrentConfig = createConfigReader(config, printLine)
    let thoroughAtMs = Number.NEGATIVE_INFINITY
    for (;;) {
      const isThorough = performance.now() - thoroughAtMs >= THOROUGH_INTERVAL_MS
      if (isThorough) thoroughAtMs = performance.now()
      await checkSessions(readCurrentConfig(), known, isThorough).catch(error =>
        printLine(error instanceof Error ? (error.stack ?? error.message) : `${error}`),
      )
      await sleep(CHECK_INTERVAL_MS)
    }
  },
})

async function checkSessions(config: Config, known: Map<string, number>, isThorough: boolean): Promise<void> {
  const orSince = getOldestMissedTime(new Date()).toISOString() // A session may end before it could notify you.
  const views = await listOpenSessions(config, { orSince, isThorough })
  for (const id of await reviveSessions(views, config, launchSuccessor)) printLine(`started a new runner for ${id}`)
  enqueueMissedNotifications(views, config, known)
  enqueueExternalEvents(config)
  await startDeliverer(config)
}

function printLine(text: string): void {
  print(`${new Date().toISOString()} ${text}`)
}
