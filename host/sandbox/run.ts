import fs from 'node:fs'
import os from 'node:os'
import { DispatchError, exitCodes } from '../error.ts'
import { writeAtomic } from '../fs/files.ts'
import { type OpenedSandbox, openBubblewrap } from './open-bubblewrap.ts'
import { openSeatbelt } from './open-seatbelt.ts'
import type { SandboxPolicy, SandboxResult } from './policy.ts'
import { buildInnerEnvironment, createSocketFolder, filterSearchPath, prepareWritablePaths } from './prepare.ts'
import { superviseSandbox } from './supervise.ts'

/**
 * Run a command in the sandbox to its end, and return its exit code. This process stays beside it: it runs the proxy on
 * loopback that is the only way to the network, and forwards signals and the terminal size. When it dies, everything
 * inside dies. Exit 11 when the sandbox does not start; the command never runs without one.
 */
export async function runSandboxed(policy: SandboxPolicy, command: string[]): Promise<number> {
  const socketFolder = createSocketFolder()
  const result = await runIsolated(policy, command, socketFolder).finally(() =>
    fs.rmSync(socketFolder, { recursive: true, force: true }),
  )
  if (policy.resultFile !== undefined) writeAtomic(policy.resultFile, JSON.stringify(result))
  if (!result.hasStarted)
    throw new DispatchError(`the sandbox did not start: ${result.reason}`, {
      exitCode: exitCodes.sandbox,
      remedy: 'Run `dispatch doctor`: it reports what this machine lacks.',
    })
  return result.exitCode ?? 128 + (os.constants.signals[result.signal as NodeJS.Signals] ?? 0)
}

// --- internal ---

const MAX_REFUSED_HOSTS = 20

async function runIsolated(policy: SandboxPolicy, command: string[], socketFolder: string): Promise<SandboxResult> {
  prepareWritablePaths(policy)
  const innerEnvironment = buildInnerEnvironment(policy)
  // The library inspects the current folder, and creates its sockets in TMPDIR.
  process.chdir(socketFolder)
  process.env['TMPDIR'] = socketFolder
  // This process runs no program from a folder that an agent can write. Tools of the project are on PATH only inside.
  process.env['PATH'] = filterSearchPath(policy)
  const relay = policy.model && (await (await import('../model/open-relay.ts')).openModelRelay(policy.model))
  const relayed = relay ? { ...policy, allowedHosts: [...policy.allowedHosts, relay.host] } : policy
  const refusedHosts = new Set<string>()
  const refuse = (host: string) => {
    if (refusedHosts.size < MAX_REFUSED_HOSTS) refusedHosts.add(host)
  }
  let sandbox: OpenedSandbox | undefined
  try {
    const open = process.platform === 'darwin' ? openSeatbelt : openBubblewrap
    sandbox = await open(relayed, command, { environment: innerEnvironment, socketFolder, refuse })
    const ended = superviseSandbox(sandbox.commandLine, { ...innerEnvironment, ...relay?.variables })
    sandbox.serve()
    relay?.serve().catch(error => process.stderr.write(`dispatch: the relay to the model does not start: ${error}\n`))
    const result = await ended
    return refusedHosts.size > 0 ? { ...result, refusedHosts: [...refusedHosts] } : result
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { hasStarted: false, exitCode: null, signal: null, milliseconds: 0, reason }
  } finally {
    await relay?.close()
    await sandbox?.close()
  }
}
