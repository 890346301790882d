import os from 'node:os'
import path from 'node:path'
import { buildBubblewrapLine } from './bubblewrap.ts'
import { addIsolation, buildInnerScript, buildRuntimeConfig, usesProxy } from './command-line.ts'
import { openProxy } from './open-proxy.ts'
import type { SandboxPolicy } from './policy.ts'
import { listReadablePaths } from './readable-paths.ts'

/** What a sandbox is opened with. */
export interface OpenOptions {
  /** The environment inside. */
  environment: Record<string, string>
  /** For sockets and the filter of system calls. */
  socketFolder: string
  /** Called for each connection that the proxy refuses, with the host as `name:port`. */
  refuse?: (host: string) => void
  /** PATH, for the programs that run outside. */
  searchPath?: string
}

/** A sandbox that can be started. */
export interface OpenedSandbox {
  /** For `sh`, after an `exec`. */
  commandLine: string
  /** Answer connections to the network. Called when it has been started. */
  serve: () => void
  close: () => Promise<void>
}

/** Make a sandbox of bubblewrap ready for a command. */
export async function openBubblewrap(
  policy: SandboxPolicy,
  command: string[],
  { environment, socketFolder, refuse, searchPath = process.env['PATH'] ?? '' }: OpenOptions,
): Promise<OpenedSandbox> {
  const refuseHost = (host: string, port: number) => {
    if (/^[\w.-]+$/.test(host)) refuse?.(`${host}:${port}`)
  }
  const proxy = usesProxy(policy) ? await openProxy(policy.allowedHosts, socketFolder, refuseHost) : undefined
  const readable = listReadablePaths(environment['PATH'] ?? '', environment['HOME'] ?? os.homedir())
  const { commandLine, release } = await buildBubblewrapLine(
    buildRuntimeConfig(policy, readable, socketFolder, 'linux', searchPath),
    buildInnerScript(policy, command),
    { role: policy.role, searchPath, proxy },
  )
  return {
    commandLine: addIsolation(commandLine, policy, path.join(socketFolder, 'filter')),
    serve: () => {
      proxy?.serve().catch(error => process.stderr.write(`dispatch: the proxy does not start: ${error}\n`))
    },
    close: async () => {
      release()
      await proxy?.close()
    },
  }
}
