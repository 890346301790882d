import { pickVariables } from '../config/environment.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { runInTerminal, runProgram } from '../exec.ts'

/** A terminal of our time that every terminfo has. */
const KNOWN_TERMINAL = 'xterm-256color'

/**
 * Connect the terminal of the user by `tmux` with these arguments. A terminal that tmux does not know is taken for one that it
 * knows. Exit 2 for a terminal that cannot show a window. Returns the exit code of tmux.
 */
export async function attachTerminal(args: string[], environment = process.env): Promise<number> {
  const attach = (TERM: string) =>
    runInTerminal('tmux', args, { ...environment, TERM, TMUX: '' }, { hidesErrors: true })
  const terminal = environment['TERM'] || KNOWN_TERMINAL
  if (terminal === 'dumb') throw createTerminalError('TERM=dumb')
  const first = await attach(terminal)
  const { exitCode, errors } = /missing or unsuitable terminal/.test(first.errors)
    ? await attach(KNOWN_TERMINAL)
    : first
  if (/terminal does not support|unsuitable terminal|terminfo/.test(errors)) throw createTerminalError(errors.trim())
  if (errors.trim() !== '') process.stderr.write(errors)
  return exitCode
}

/**
 * The keys that leave a window. Inside a tmux of the user with the same prefix, that one takes the first Ctrl-b. Its prefix is
 * asked of that tmux itself.
 */
export async function findDetachKeys(environment = process.env): Promise<string> {
  if (!environment['TMUX']) return 'Ctrl-b d'
  const asked = await runProgram('tmux', ['display-message', '-p', '#{prefix} #{prefix2}'], {
    env: pickVariables(Object.keys(environment), environment),
  })
  return asked.exitCode === 0 && !/\bC-b\b/.test(asked.stdout) ? 'Ctrl-b d' : 'Ctrl-b Ctrl-b d'
}

// --- internal ---

function createTerminalError(detail: string): DispatchError {
  return new DispatchError(`this terminal cannot show a window (${detail})`, {
    exitCode: exitCodes.usage,
    remedy: `Use another terminal, or put TERM=${KNOWN_TERMINAL} in front of the same command. To read only, use watch in place of attach.`,
  })
}
