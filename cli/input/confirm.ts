import { createInterface } from 'node:readline'
import type { Config } from '#host/config'
import { createInterruptError, DispatchError, exitCodes } from '#host/error.ts'
import { detectAgentMark, detectAnyAgent } from '#runner'
import type { Session } from '#session'

/** Is there a person at this terminal who can be asked? */
export function isAtTerminal(): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY)
}

/**
 * Ask for the last four letters of the session's id (all of it will do), before something that a plain yes is too quick
 * for. Only at a terminal: elsewhere nobody can answer, and nobody has agreed.
 */
export async function confirmSessionId({ id }: Session, question: string): Promise<boolean> {
  if (!isAtTerminal()) return false
  const letters = id.slice(-4)
  return [letters, id].includes(await readTypedLine(`${question} Type ${letters} to continue: `))
}

/** Ask for a plain yes. Without a terminal nobody can answer: exit 2, with the words that say yes beforehand. */
export async function confirmAction(question: string, command: string): Promise<boolean> {
  if (!isAtTerminal())
    throw new DispatchError(`${command} asks first, and there is no terminal to ask at`, {
      exitCode: exitCodes.usage,
      remedy: `Nothing was changed. To say yes beforehand: dispatch ${command} --yes`,
    })
  return /^y(es)?$/i.test(await readTypedLine(`${question} [y/N] `))
}

/** Refuse (exit 5) what only a person may do, when an agent of ours has called it. */
export async function refuseAgent(what: string, remedy: string): Promise<void> {
  refuseBySign(await detectAgentMark(process.pid), what, remedy)
}

/** The same where a yes lets commands run: also what stems from any claude, or runs in a terminal of ours, is refused. */
export async function refuseAnyAgent(what: string, remedy: string, config: Config): Promise<void> {
  refuseBySign(await detectAnyAgent(config, process.pid), what, remedy)
}

// --- internal ---

function refuseBySign(sign: string | undefined, what: string, remedy: string): void {
  if (sign !== undefined)
    throw new DispatchError(`${what} is for people, and an agent has called it: ${sign}`, {
      exitCode: exitCodes.conflict,
      remedy,
    })
}

/** What is typed until Enter; nothing for Ctrl-d. Ctrl-c ends the command (exit 130). */
export function readTypedLine(question: string): Promise<string> {
  const asker = createInterface({ input: process.stdin, output: process.stdout })
  return new Promise((resolve, reject) => {
    asker.once('SIGINT', () => {
      process.stdout.write('\n')
      reject(createInterruptError())
      asker.close()
    })
    asker.once('close', () => resolve(''))
    asker.question(question, answer => {
      resolve(answer.trim())
      asker.close()
    })
  })
}
