import { readConfig } from '#host/config'
import { findSession } from '#session'
import { wakeDaemon } from '../background.ts'
import { defineCommand } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { parsePlainText } from '../input/send-message.ts'
import { readTextInput } from '../input/task-input.ts'
import { print } from '../output/terminal.ts'
import { refusePause } from '../queue/pause.ts'
import { resumeSession } from '../resume-session.ts'

export const command = defineCommand({
  about: `
Goes on with a session that was stopped, was cut off by a crash or a reboot, or waits for you. Its orchestrator continues with its
whole conversation, a worker that was cut off starts again with the same brief, and your guidance is the next thing that the
orchestrator reads. A session that was only cut off is also taken up by itself, by \`dispatch daemon\`.
`,
  usage: 'resume <sid> [guidance…] [--force]',
  options: { force: { type: 'boolean', about: 'go on although dispatch is paused' } },
  async run(values, [idOrPart = '', ...words]) {
    const config = readConfig()
    const session = findSession(config.workspace, idOrPart)
    await refuseAgent('resume', 'To reach the human, an orchestrator runs: ask "…"')
    refusePause(config, values.force ?? false, 'End the pause: dispatch unpause. Go on all the same: --force')
    const remedy = 'Leave it out, or write a text: dispatch resume <sid> "use port 8080"'
    const guidance =
      words.length === 0
        ? ''
        : parsePlainText(await readTextInput(undefined, [words.join(' ')], { name: 'guidance', remedy }))
    print(await resumeSession(session, config, guidance))
    await wakeDaemon(config)
  },
})
