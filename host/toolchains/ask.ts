import path from 'node:path'
import { pickVariables } from '../config/environment.ts'
import { findProgram, type RunResult, runProgram } from '../exec.ts'
import { resolveRealPath } from '../fs/files.ts'
import { isUnder } from '../sandbox/policy.ts'
import { SECOND_MS } from '../time.ts'

/** A shell of the user's, and the folders that agents or other people write, in which no program may be run. */
export interface UserShell {
  environment: NodeJS.ProcessEnv
  home: string
  untrusted: string[]
}

/**
 * Run a program of the user's in the user's own environment, and from `/`: version managers run or read what lies in the current
 * folder and above. Undefined if the program does not exist, or only where others write.
 */
export async function askProgram(
  shell: Omit<UserShell, 'home'>,
  command: string[],
  timeoutMs = ASK_TIMEOUT_MS,
): Promise<RunResult | undefined> {
  const [name = '', ...args] = command
  const searchPath = filterSearchPath(shell)
  const program = findProgram(name, searchPath)
  if (program === '' || shell.untrusted.some(folder => isUnder(program, folder))) return undefined
  // A shell would run the files that BASH_ENV and ENV name.
  const { BASH_ENV: _bash, ENV: _sh, PWD: _current, OLDPWD: _last, ...rest } = shell.environment
  const env = pickVariables(Object.keys(rest), { ...rest, PATH: searchPath })
  return runProgram(name, args, { cwd: '/', env, timeoutMs, maxOutputBytes: MAX_ANSWER_BYTES })
}

// --- internal ---

const ASK_TIMEOUT_MS = 3 * SECOND_MS
const MAX_ANSWER_BYTES = 64 * 1024

/** PATH without relative folders, and without those that others write. */
function filterSearchPath({ environment, untrusted }: Omit<UserShell, 'home'>): string {
  return (environment['PATH'] ?? '')
    .split(path.delimiter)
    .filter(folder => path.isAbsolute(folder))
    .filter(folder => !untrusted.some(place => isUnder(resolveRealPath(folder), place)))
    .join(path.delimiter)
}
