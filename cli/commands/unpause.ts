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
  options: {
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  async run(values) {
    const config = readConfig()
    await refuseAgent('unpause')
    const wasPaused = endPause(config.home, new Date())
    if (values.json) print(JSON.stringify({ wasPaused }))
    else print(wasPaused ? 'The pause has ended.' : 'Dispatch was not paused.')
    await wakeDaemon(config)
  },
})
