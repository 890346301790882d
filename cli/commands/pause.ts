import { readConfig } from '#host/config'
import { readPause, writePause } from '#queue'
import { defineCommand } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { parseFutureTime } from '../input/task-input.ts'
import { formatLocalTime, print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Stops new sessions and landings, until \`dispatch unpause\` or until a time. Sessions that run go on, and \`dispatch later\` still adds
to the queue. \`dispatch "task" --force\` starts a session all the same.
`,
  options: {
    until: { type: 'string', value: 'HH:MM', about: 'end the pause at this time (a time of day, or 2026-11-21T06:30)' },
    reason: { type: 'string', value: 'TEXT', about: 'why, for those who meet the pause' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  async run(values) {
    const config = readConfig()
    await refuseAgent('pause')
    const now = new Date()
    const until = values.until === undefined ? null : parseFutureTime(values.until, '--until', now)
    const since = readPause(config.home, now)?.since ?? now.toISOString()
    writePause(config.home, { since, until, reason: values.reason ?? '' })
    if (values.json) print(JSON.stringify({ since, until, reason: values.reason ?? '' }))
    else print(`Paused${until === null ? '. To end it: dispatch unpause' : ` until ${formatLocalTime(until)}`}`)
  },
})
