import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { buildStdioFillers, forwardSignals } from './lifecycle.ts'
import type { SandboxResult } from './policy.ts'

/** Start the sandbox, wait for its end, and report how it ended. */
export function superviseSandbox(
  commandLine: string,
  env: Record<string, string>,
  platform = process.platform,
): Promise<SandboxResult> {
  // `exec` makes the sandbox a direct child, which dies with this process. A regular file is not passed on as it is: a
  // process inside could open it again for writing through /proc, past every restriction.
  const stdio = [0, 1, 2].map(fd => (isFile(fd) ? 'pipe' : fd))
  const nullFd = fs.openSync('/dev/null', 'r')
  const child = spawn('/bin/sh', ['-c', `exec ${commandLine}`], {
    env,
    // On macOS the second pipe ends with this process, and the shell inside ends everything then.
    stdio: [...stdio, 'pipe', ...(platform === 'darwin' ? ['pipe'] : buildStdioFillers(nullFd))] as [
      'pipe',
      'pipe',
      'pipe',
      'pipe',
    ],
  })
  if (stdio[0] === 'pipe') {
    child.stdin?.on('error', () => undefined) // The command may end without reading its input.
    process.stdin.pipe(child.stdin as NodeJS.WritableStream)
  }
  child.stdout?.pipe(process.stdout, { end: false })
  child.stderr?.pipe(process.stderr, { end: false })
  let startedAt: number | undefined
  const startReport = child.stdio[3] as NodeJS.ReadableStream
  startReport.on('data', () => {
    startedAt ??= performance.now()
  })
  startReport.on('error', () => undefined)
  const stopForwarding = forwardSignals(child)
  return new Promise(resolve => {
    const finish = (exitCode: number | null, signal: string | null, reason: string) => {
      stopForwarding()
      process.stdin.unref?.()
      const milliseconds = startedAt === undefined ? 0 : Math.round(performance.now() - startedAt)
      resolve({ hasStarted: startedAt !== undefined, exitCode, signal, milliseconds, reason })
    }
    child.once('error', error => finish(null, null, error.message))
    child.once('close', (code, signal) => {
      const ending = code === null ? signal : `exit ${code}`
      finish(code, signal, startedAt !== undefined ? '' : `it ended (${ending}) before the command started`)
    })
  })
}

// --- internal ---

function isFile(fd: number): boolean {
  try {
    return fs.fstatSync(fd).isFile()
  } catch {
    return false
  }
}
