import { createInterface } from 'node:readline'
import type { Config } from '#host/config'
import { createInterruptError, DispatchError, exitCodes } from '#host/error.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { detectAgentMark, detectAnyAgent } from '#runner'
import type { Session } from '#session'
import { UsageError } from '../command.ts'

export const OWN_TERMINAL_REMEDY = 'Run it yourself, in a terminal that no agent has opened.'

/** Are standard input and output a terminal, so that a person can be asked? */
export function isAtTerminal(): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY)
}

/** Ask for the last four letters of the id, or all of it: a plain yes is typed too quickly. False without a terminal. */
export async function confirmSessionId({ id }: Session, question: string): Promise<boolean> {
  if (!isAtTerminal()) return false
  const letters = id.slice(-4)
  return [letters, id].includes(await readTypedLine(`${question} Type ${letters} to continue: `))
}

/** Ask for a plain yes. Without a terminal: exit 2, and the same command line with the option that says yes in advance. */
export async function confirmAction(question: string, command: string): Promise<boolean> {
  if (!isAtTerminal())
    throw new UsageError(
      `${command} asks for confirmation, and there is no terminal to ask at`,
      `Nothing was changed. To confirm in advance: ${['dispatch', ...process.argv.slice(2), '--yes'].map(quoteForShell).join(' ')}`,
    )
  return /^y(es)?$/i.test(await readTypedLine(`${question} [y/N] `))
}

/** Refuse (exit 5) what only a person may do, when an agent of a session has called it. */
export async function refuseAgent(command: string, remedy?: string): Promise<void> {
  refuse(await detectAgentMark(process.pid), command, remedy)
}

/** The same where a yes lets commands run: refuses whatever was started by any claude, or in a terminal of dispatch. */
export async function refuseAnyAgent(command: string, config: Config): Promise<void> {
  refuse(await detectAnyAgent(config, process.pid), command)
}

/** What is typed until Enter; empty for Ctrl-d. Ctrl-c ends the command (exit 130). */
export function readTypedLine(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stdout })
  return new Promise((resolve, reject) => {
    reader.once('SIGINT', () => {
      process.stdout.write('\n')
      reject(createInterruptError())
      reader.close()
    })
    reader.once('close', () => resolve(''))
    reader.question(question, answer => {
      resolve(answer.trim())
      reader.close()
    })
  })
}

// --- internal ---

function refuse(sign: string | undefined, command: string, remedy = OWN_TERMINAL_REMEDY): void {
  if (sign !== undefined)
    throw new DispatchError(`only a person may run \`${command}\`, and this process belongs to an agent: ${sign}`, {
      exitCode: exitCodes.conflict,
      remedy,
    })
}
