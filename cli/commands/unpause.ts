import { readConfig } from '#host/config'
import { endPause } from '#queue'
import { wakeDaemon } from '../background.ts'
import { defineCommand } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Ends a pause: the queue starts sessions again, and what waits to land goes on.
`,
  async run() {
    const config = readConfig()
    await refuseAgent('unpause')
    print(endPause(config.home, new Date()) ? 'The pause has ended.' : 'Dispatch was not paused.')
    await wakeDaemon(config)
  },
})
