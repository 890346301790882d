import { createInterface } from 'node:readline'
import { type Config, DispatchError, exits, interrupted } from '../host/index.ts'
import { agentAnywhere, agentSays } from '../runner/index.ts'
import type { Session } from '../session/index.ts'

/** Is there a person at this terminal who can be asked? */
export function atTerminal(): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY)
}

/**
 * Ask for the last four letters of the session's id (all of it will do), before something that a plain yes is too quick
 * for. Only at a terminal: elsewhere nobody can answer, and nobody has agreed.
 */
export async function confirmId({ id }: Session, question: string): Promise<boolean> {
  if (!atTerminal()) return false
  const letters = id.slice(-4)
  return [letters, id].includes(await typed(`${question} Type ${letters} to go on: `))
}

/** Ask for a plain yes. Without a terminal nobody can answer: exit 2, with the words that say yes beforehand. */
export async function agreed(question: string, command: string): Promise<boolean> {
  if (!atTerminal())
    throw new DispatchError(`${command} asks first, and there is no terminal to ask at`, {
      exit: exits.usage,
      remedy: `Nothing was changed. To say yes beforehand: dispatch ${command} --yes`,
    })
  return /^y(es)?$/i.test(await typed(`${question} [y/N] `))
}

/** Refuse (exit 5) what only a person may do, when an agent of ours has called it. */
export async function refuseAgent(what: string, remedy: string): Promise<void> {
  refuse(await agentSays(process.pid), what, remedy)
}

/** The same where a yes lets commands run: also what stems from any claude, or runs in a terminal of ours, is refused. */
export async function refuseAnyAgent(what: string, remedy: string, config: Config): Promise<void> {
  refuse(await agentAnywhere(config, process.pid), what, remedy)
}

// --- internal ---

function refuse(sign: string | undefined, what: string, remedy: string): void {
  if (sign !== undefined)
    throw new DispatchError(`${what} is for people, and an agent has called it: ${sign}`, {
      exit: exits.conflict,
      remedy,
    })
}

/** What is typed until Enter; nothing for Ctrl-d. Ctrl-c ends the command (exit 130). */
export function typed(question: string): Promise<string> {
  const asker = createInterface({ input: process.stdin, output: process.stdout })
  return new Promise((resolve, reject) => {
    asker.once('SIGINT', () => {
      process.stdout.write('\n')
      reject(interrupted())
      asker.close()
    })
    asker.once('close', () => resolve(''))
    asker.question(question, answer => {
      resolve(answer.trim())
      asker.close()
    })
  })
}
