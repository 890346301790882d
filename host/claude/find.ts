import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '../config/config.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { findProgram, isProgram, runAndWait } from '../exec.ts'
import { quoteForShell } from '../shell-quote.ts'

/** How to install claude, as the remedy of an error. */
export const claudeInstallHint =
  'Install it: `npm install -g @anthropic-ai/claude-code`, then run `claude` once and log in.'

/** The `claude` to run: the first on PATH, else the one in the node_modules of the install. Exit 6 without one. */
export function findClaude(searchPath = process.env['PATH'] ?? ''): string {
  const folders = [...searchPath.split(path.delimiter).filter(Boolean), path.join(installFolder, 'node_modules/.bin')]
  const candidates = folders.map(folder => path.join(folder, 'claude'))
  const program = candidates.find(isProgram)
  if (program) return askChooser(program, searchPath) ?? program
  const notExecutable = candidates.find(file => fs.statSync(file, { throwIfNoEntry: false })?.isFile())
  const exitCode = exitCodes.dependency
  if (!notExecutable)
    throw new DispatchError('claude is not installed, or not on PATH', { exitCode, remedy: claudeInstallHint })
  const remedy = `Run \`chmod +x ${quoteForShell(notExecutable)}\`, or install claude again.`
  throw new DispatchError(`${notExecutable} is not executable`, { exitCode, remedy })
}

// --- internal ---

/**
 * The program that a version manager would start for this one; undefined for any other program. A sandbox contains the program
 * and not the manager with its choice, and Volta's and mise's stand-ins are links that do not know their name there.
 */
function askChooser(program: string, searchPath: string): string | undefined {
  const chooser = findChooser(fs.realpathSync(program), searchPath)
  if (chooser === undefined) return undefined
  const answer = runAndWait(chooser, ['which', 'claude']).trim()
  return path.isAbsolute(answer) && isProgram(answer) ? answer : undefined
}

function findChooser(file: string, searchPath: string): string | undefined {
  if (path.basename(file) === 'mise') return file
  if (path.basename(file) === 'volta-shim') {
    const beside = path.join(path.dirname(file), 'volta')
    return isProgram(beside) ? beside : findProgram('volta', searchPath) || undefined
  }
  // `exec asdf exec "claude" "$@"`, `exec "/opt/homebrew/bin/nodenv" exec "$program" "$@"`
  const script = readFirstBytes(file)
  const name = /^#!/.test(script) && /^exec "?(\S*?\b(?:asdf|nodenv))"? exec /m.exec(script)?.[1]
  if (!name) return undefined
  return path.isAbsolute(name) ? name : findProgram(name, searchPath) || undefined
}

function readFirstBytes(file: string): string {
  const fd = fs.openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(MAX_SHIM_BYTES)
    return bytes.toString('latin1', 0, fs.readSync(fd, bytes, 0, MAX_SHIM_BYTES, 0))
  } finally {
    fs.closeSync(fd)
  }
}

const MAX_SHIM_BYTES = 1024
