import { readConfig } from '#host/config'
import { defineCommand } from '../command.ts'
import { runDaemon } from '../daemon.ts'

export const command = defineCommand({
  about: `
Looks after the sessions, and starts what waits in the queue when its turn has come. It runs until it is ended; \`dispatch "task"\` and
\`dispatch later\` start it in the background.
`,
  async run() {
    return runDaemon(readConfig())
  },
})
