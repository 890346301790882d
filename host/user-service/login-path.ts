import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pickVariables } from '../config/environment.ts'
import { runProgram } from '../exec.ts'
import { resolveRealPath } from '../fs/files.ts'
import { SECOND_MS } from '../time.ts'

/**
 * PATH as the user's shell has it after a login; empty if the shell does not tell within three seconds. The shell runs the user's
 * own profile, from `/`.
 */
export async function askLoginPath(environment = process.env): Promise<string> {
  const shell = environment['SHELL'] ?? ''
  if (!path.isAbsolute(shell) || !fs.existsSync(shell)) return ''
  const known = pickVariables(['HOME', 'USER', 'LOGNAME', 'LANG'], environment)
  const env = { HOME: os.homedir(), ...known, SHELL: shell, TERM: 'dumb', PATH: '/usr/local/bin:/usr/bin:/bin' }
  const command = `printf '${MARK}%s${MARK}' "$PATH"`
  const ran = await runProgram(shell, ['-l', '-c', command], { cwd: '/', env, timeoutMs: ASK_TIMEOUT_MS })
  return ran.stdout.split(MARK)[1] ?? ''
}

/**
 * The folders of the first path, then those that only the second has. Left out are relative ones, those that do not exist, and those
 * that npm adds for one command; the folder that fnm makes for one shell is replaced by the one that stays.
 */
export function mergeSearchPaths(first: string, second: string): string {
  const folders = [first, second]
    .flatMap(text => text.split(path.delimiter))
    .filter(folder => path.isAbsolute(folder) && isFolder(folder) && !addedByNpm.test(folder))
    .map(folder => (folder.includes('/fnm_multishells/') ? resolveRealPath(folder) : folder))
  return [...new Set(folders)].join(path.delimiter)
}

// --- internal ---

const MARK = '<path>'
const ASK_TIMEOUT_MS = 3 * SECOND_MS
const addedByNpm = /\/node_modules\/(\.bin|.*\/node-gyp-bin)\/?$/

function isFolder(folder: string): boolean {
  return fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false
}
