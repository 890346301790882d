import fs from 'node:fs'
import { type RunOptions, type RunResult, runProgram } from '../exec.ts'
import { usesProxy } from './command-line.ts'
import { buildStdioFillers } from './lifecycle.ts'
import { openBubblewrap } from './open-bubblewrap.ts'
import type { SandboxPolicy } from './policy.ts'
import { buildInnerEnvironment, createSocketFolder, filterSearchPath, prepareWritablePaths } from './prepare.ts'

/** How a command in a closed sandbox ended, and whether it started. Its `milliseconds` count from its start. */
interface ClosedRun extends RunResult {
  hasStarted: boolean
}

/** Does this sandbox need no process beside it? That is one without a network, on Linux. Pure. */
export function isClosed(policy: SandboxPolicy, platform = process.platform): boolean {
  return platform === 'linux' && !usesProxy(policy) && policy.model === undefined && policy.protectedPaths.length === 0
}

/**
 * Run a command in a closed sandbox to its end, as `runProgram` does. It is the same sandbox as that of the launcher; only its
 * parent is this process, with whose end it ends too. `environment` is what the policy takes variables from, and PATH, on
 * which bubblewrap is found. Exit 13 when a writable path is a link.
 */
export async function runClosed(
  policy: SandboxPolicy,
  command: string[],
  { env: environment = {}, ...options }: Pick<RunOptions, 'env' | 'timeoutMs' | 'maxOutputBytes' | 'keepsEnd'>,
): Promise<ClosedRun> {
  const socketFolder = createSocketFolder()
  const nullFd = fs.openSync('/dev/null', 'r')
  try {
    prepareWritablePaths(policy)
    const env = buildInnerEnvironment(policy, environment)
    const searchPath = filterSearchPath(policy, environment['PATH'])
    const sandbox = await openBubblewrap(policy, command, { environment: env, socketFolder, searchPath })
    let startedAt: number | undefined
    const run = await runProgram('/bin/sh', ['-c', `exec ${sandbox.commandLine}`], {
      ...options,
      env,
      cwd: socketFolder,
      moreFiles: {
        stdio: ['pipe', ...buildStdioFillers(nullFd)],
        read: child => {
          child.stdio[3]
            ?.on('error', () => undefined)
            .once('data', () => {
              startedAt = performance.now()
            })
        },
      },
    }).finally(sandbox.close)
    const milliseconds = startedAt === undefined ? run.milliseconds : Math.round(performance.now() - startedAt)
    return { ...run, milliseconds, hasStarted: startedAt !== undefined }
  } finally {
    fs.closeSync(nullFd)
    fs.rmSync(socketFolder, { recursive: true, force: true })
  }
}
