import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { runProgram } from '../exec.ts'
import { locateSystemProgram } from '../system-program.ts'
import { MINUTE_MS } from '../time.ts'

/** Copy a file or a folder; links are copied as links. Blocks are shared where the file system can. */
export async function copyTree(source: string, target: string): Promise<void> {
  fs.mkdirSync(path.dirname(target), { recursive: true })
  const [program, ...args] = buildCopyCommand(source, target)
  const result = await runProgram(program, args, { timeoutMs: 30 * MINUTE_MS })
  if (result.exitCode !== 0)
    throw new DispatchError(
      `${source} could not be copied to ${target}: ${result.stderr.trim() || result.startError}`,
      {
        exitCode: /no space/i.test(result.stderr) ? exitCodes.storage : exitCodes.internal,
        remedy: 'Check free disk space and permissions.',
      },
    )
}

/** The `cp` that shares blocks; where that is not possible, both forms copy. Pure. */
export function buildCopyCommand(
  source: string,
  target: string,
  platform: NodeJS.Platform = process.platform,
): [string, ...string[]] {
  const program = locateSystemProgram('cp', platform)
  if (platform === 'darwin') return [program, '-c', '-R', '-p', '-P', source, target]
  return [program, '-a', '--reflink=auto', source, target]
}
