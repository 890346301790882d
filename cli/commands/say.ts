import { readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findSession } from '#session'
import { defineCommand } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { parsePlainText, sendMessage } from '../input/send-message.ts'
import { readTextInput } from '../input/task-input.ts'
import { print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Says something to the orchestrator of a running session, as if you sat at its terminal: an answer, a correction, a wish. Comes
back with exit 0 once claude's own record shows it, and otherwise says why it could not be delivered. While a dialog is open,
or somebody has begun to type there, it waits. A turn that runs is not broken off; it takes the words up after its tool.
`,
  usage: `say <sid> words… [--patience SEC]
       dispatch say <sid> --file FILE | dispatch say <sid> -`,
  options: {
    file: { type: 'string', value: 'FILE', about: 'the words are in this file' },
    patience: { type: 'string', value: 'SEC', about: 'how long to wait for a dialog to close (default: 60)' },
  },
  remedy: 'Words that begin with a dash go behind two: dispatch say <sid> -- -x.',
  async run(values, [named = '', ...words]) {
    const patience = parseSeconds(values.patience ?? '60')
    const given = words.length === 0 ? [] : [words.join(' ')]
    const text = parsePlainText(
      await readTextInput(values.file, given, {
        name: 'word',
        remedy: 'Say something: dispatch say <sid> "use port 8080".',
      }),
    )
    const config = readConfig()
    const session = findSession(config.workspace, named)
    await refuseAgent('say', 'An orchestrator that needs the human runs `ask "…"`.')
    print(await sendMessage(session, config, { kind: 'say', text }, patience))
    return exitCodes.ok
  },
})

function parseSeconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new DispatchError(`--patience takes whole seconds, not "${text}"`, { exitCode: exitCodes.usage })
}
