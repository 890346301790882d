import { createInterface } from 'node:readline'
import type { Session } from '../session/index.ts'

/** Is there a person at this terminal who can be asked? */
export function atTerminal(): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY)
}

/**
 * Ask for the last four letters of the session's id, before something that a plain yes is too quick for. Only at a
 * terminal: elsewhere nobody can answer, and nobody has agreed.
 */
export async function confirmId({ id }: Session, question: string): Promise<boolean> {
  if (!atTerminal()) return false
  const letters = id.slice(-4)
  return (await typed(`${question} Type ${letters} to go on: `)) === letters
}

/** What is typed until Enter; nothing for Ctrl-c and Ctrl-d. */
function typed(question: string): Promise<string> {
  const asker = createInterface({ input: process.stdin, output: process.stdout })
  return new Promise(resolve => {
    asker.once('close', () => resolve(''))
    asker.question(question, answer => {
      resolve(answer.trim())
      asker.close()
    })
  })
}
