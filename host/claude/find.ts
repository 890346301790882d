import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '../config/config.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { isProgram } from '../exec.ts'
import { quoteForShell } from '../shell-quote.ts'

/** How to install claude, as the remedy of an error. */
export const claudeInstallHint =
  'Install it: `npm install -g @anthropic-ai/claude-code`, then run `claude` once and log in.'

/** The `claude` to run: the first on PATH, else the one in the node_modules of the install. Exit 6 without one. */
export function findClaude(searchPath = process.env['PATH'] ?? ''): string {
  const folders = [...searchPath.split(path.delimiter).filter(Boolean), path.join(installFolder, 'node_modules/.bin')]
  const candidates = folders.map(folder => path.join(folder, 'claude'))
  const program = candidates.find(isProgram)
  if (program) return program
  const notExecutable = candidates.find(file => fs.statSync(file, { throwIfNoEntry: false })?.isFile())
  const exitCode = exitCodes.dependency
  if (!notExecutable)
    throw new DispatchError('claude is not installed, or not on PATH', { exitCode, remedy: claudeInstallHint })
  const remedy = `Run \`chmod +x ${quoteForShell(notExecutable)}\`, or install claude again.`
  throw new DispatchError(`${notExecutable} is not executable`, { exitCode, remedy })
}
