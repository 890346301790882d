import { createInterface } from 'node:readline'
import { DispatchError, exits } from '../host/index.ts'
import { atTerminal } from './confirm.ts'

/** Ask for a plain yes. Without a terminal nobody can answer: exit 2, with the words that say yes beforehand. */
export async function agreed(question: string, command: string): Promise<boolean> {
  if (!atTerminal())
    throw new DispatchError(`${command} asks before it writes, and there is no terminal to ask at`, {
      exit: exits.usage,
      remedy: `Nothing was changed. To say yes beforehand: dispatch ${command} --yes`,
    })
  const asker = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await new Promise<string>(resolve => {
    asker.once('close', () => resolve('')) // Ctrl-c, Ctrl-d.
    asker.question(`${question} [y/N] `, resolve)
  })
  asker.close()
  return /^y(es)?$/i.test(answer.trim())
}
