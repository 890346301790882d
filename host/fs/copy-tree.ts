import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { runProgram } from '../exec.ts'

/** Copy a file or a folder with all that is in it, links as links. Where the file system can share blocks, next to nothing is written. */
export async function copyTree(from: string, to: string): Promise<void> {
  fs.mkdirSync(path.dirname(to), { recursive: true })
  const ran = await runProgram('cp', buildCopyArguments(from, to), { timeoutMs: 30 * 60_000 })
  if (ran.exitCode !== 0)
    throw new DispatchError(`${from} could not be copied to ${to}: ${ran.stderr.trim() || ran.startError}`, {
      exitCode: /no space/i.test(ran.stderr) ? exitCodes.storage : exitCodes.internal,
      remedy: 'Look for a full disk or missing rights.',
    })
}

/** What `cp` is told: on Linux GNU's, or busybox's, which knows no `--reflink`; on macOS a clone (APFS), which falls back by itself. Pure. */
export function buildCopyArguments(from: string, to: string, platform: NodeJS.Platform = process.platform): string[] {
  if (platform === 'darwin') return ['-c', '-R', '-p', '-P', from, to]
  return ['-a', '--reflink=auto', from, to]
}
