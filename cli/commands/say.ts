import { readConfig } from '#host/config'
import { findSession } from '#session'
import { defineCommand, UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { parsePlainText, sendMessage } from '../input/send-message.ts'
import { readTextInput } from '../input/task-input.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Sends a message to the orchestrator of a running session, as if you typed it at its terminal. Exit 0 means that claude's own
transcript contains the message; otherwise the error says why it was not delivered. The message waits while a dialog is open or
a person is typing there. A running turn is not interrupted: the orchestrator reads the message after its current tool call.
`,
  usage: `say <sid> message… [--timeout SEC]
       dispatch say <sid> --file FILE | dispatch say <sid> -`,
  options: {
    file: { type: 'string', value: 'FILE', about: 'read the message from this file' },
    timeout: { type: 'string', value: 'SEC', about: 'how long the message may wait for the input line (default: 60)' },
  },
  optionRemedy: 'Put a message that begins with a dash after two dashes: dispatch say <sid> -- -x',
  async run(values, [idOrPart = '', ...words]) {
    const { timeout = '60' } = values
    if (!/^\d{1,5}$/.test(timeout)) throw new UsageError(`--timeout takes whole seconds, not "${timeout}"`)
    const input = await readTextInput(values.file, words.length === 0 ? [] : [words.join(' ')], {
      name: 'message',
      remedy: 'Write a message: dispatch say <sid> "use port 8080"',
    })
    const text = parsePlainText(input)
    const config = readConfig()
    const session = findSession(config.workspace, idOrPart)
    await refuseAgent('say', 'To reach the human, an orchestrator runs: ask "…"')
    print(await sendMessage(session, config, { kind: 'say', text }, Number(timeout)))
  },
})
