import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { restartBackground } from '../background.ts'
import { defineCommand } from '../command.ts'
import { runDaemon } from '../daemon.ts'
import { refuseAgent } from '../input/confirm.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Looks after the sessions, and starts what waits in the queue when its turn has come. It runs until it is ended; \`dispatch "task"\` and
\`dispatch later\` start it in the background.
`,
  options: {
    restart: { type: 'boolean', about: 'start the daemon and the page again in the background, as after an update' },
  },
  async run(values) {
    const config = readConfig()
    if (!values.restart) return runDaemon(config)
    await refuseAgent('daemon --restart')
    print(`the daemon runs again: process ${await restartBackground(config)}`)
    return exitCodes.ok
  },
})
