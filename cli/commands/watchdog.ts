import { readConfig } from '#host/config'
import { defineCommand } from '../command.ts'
import { checkSessions, createCheckState } from '../daemon.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Looks once after the sessions: each unfinished session that has lost its runner gets a new one, which continues where the old one
stopped. One whose terminal is gone too gets it as far as MAX_SESSIONS and memory allow, and not while dispatch is paused. Also
delivers notifications that are waiting, and notifies you of claude sessions that dispatch did not start (\`dispatch setup --hooks\`).
\`dispatch daemon\` does that all the time.
`,
  async run() {
    const state = { ...createCheckState(), isThorough: true, maxTakenUp: Number.POSITIVE_INFINITY }
    await checkSessions(readConfig(), state, print)
  },
})
