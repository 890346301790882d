import { readConfig } from '#host/config'
import { defineCommand } from '../command.ts'
import { checkSessions } from '../daemon.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Looks once after the sessions: starts one new runner for every unfinished session that has lost its own; the new runner continues
where the old one stopped. Also delivers notifications that are waiting, and notifies you of claude sessions that dispatch did not
start (\`dispatch setup --hooks\`). \`dispatch daemon\` does that all the time.
`,
  async run() {
    await checkSessions(
      readConfig(),
      {
        known: new Map(),
        runners: new Map(),
        tries: new Map(),
        isThorough: true,
        maxTakenUp: Number.POSITIVE_INFINITY,
      },
      print,
    )
  },
})
