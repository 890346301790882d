import { runProgram } from '../exec.ts'
import { locateSystemProgram } from '../system-program.ts'
import { listPids, readProcFile } from './proc.ts'

/** The command lines of all processes that this user can see, with a blank between the arguments. */
export async function listCommandLines(platform: NodeJS.Platform = process.platform): Promise<string[]> {
  if (platform === 'linux') return listPids().map(pid => readProcFile(pid, 'cmdline').replaceAll('\0', ' ').trim())
  return parseCommandLines((await runProgram(locateSystemProgram('ps'), ['-axww', '-o', 'command='])).stdout)
}

/** The lines of `ps -axww -o command=`. Pure. */
export function parseCommandLines(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}
