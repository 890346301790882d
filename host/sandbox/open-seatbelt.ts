import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildInnerScript, buildRuntimeConfig, isShortTempFolder } from './command-line.ts'
import { loadRuntime } from './library.ts'
import type { OpenedSandbox, OpenOptions } from './open-bubblewrap.ts'
import type { SandboxPolicy } from './policy.ts'
import { listReadablePaths } from './readable-paths.ts'
import { closeTerminals, findOwnTerminal } from './terminals.ts'

/** Make a sandbox of macOS ready for a command, with the manager of sandbox-runtime, which runs the proxy too. */
export async function openSeatbelt(
  policy: SandboxPolicy,
  command: string[],
  { environment, socketFolder, refuse }: OpenOptions,
): Promise<OpenedSandbox> {
  const runtime = await loadRuntime()
  const readable = listReadablePaths(environment['PATH'] ?? '', environment['HOME'] ?? os.homedir())
  const inner = shortenTempFolder(policy, socketFolder)
  fs.mkdirSync(inner.tempFolder, { recursive: true, mode: 0o700 })
  const config = buildRuntimeConfig(inner.policy, readable, socketFolder)
  const stopListening = runtime.getSandboxViolationStore().subscribe(violations => {
    for (const host of violations.flatMap(({ line }) => parseRefusedHost(line) ?? [])) refuse?.(host)
  })
  enterEmptyFolder(socketFolder)
  const close = async () => {
    stopListening()
    runtime.cleanupAfterCommand()
    await runtime.reset()
  }
  try {
    await runtime.initialize(config)
    const script = buildInnerScript(inner.policy, command, inner.tempFolder, 'darwin')
    const options = { commandId: policy.role }
    const { argv } = await runtime.wrapWithSandboxArgv(script, '/bin/sh', config, undefined, undefined, options)
    const commandLine = closeTerminals(argv.at(-1) ?? '', await findOwnTerminal())
    return { commandLine, serve: () => undefined, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Go to a folder in which nothing is made. Below the current folder the library closes names such as `.git/config` and
 * `.bashrc`, and the folder for temporary files may be beside the sockets.
 */
export function enterEmptyFolder(socketFolder: string): void {
  const folder = path.join(socketFolder, 'e')
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  process.chdir(folder)
}

/**
 * The folder for temporary files inside, with a policy that lets it be written. macOS cannot mount one at another place, so a long
 * one is replaced by a folder beside the sockets, which is removed with them. Pure.
 */
export function shortenTempFolder(
  policy: SandboxPolicy,
  socketFolder: string,
): { policy: SandboxPolicy; tempFolder: string } {
  if (isShortTempFolder(policy.tempFolder)) return { policy, tempFolder: policy.tempFolder }
  const tempFolder = path.join(socketFolder, 't')
  return { policy: { ...policy, writablePaths: [...policy.writablePaths, tempFolder] }, tempFolder }
}

/** The host and port in what the library records of a refusal; undefined for anything else. Pure. */
export function parseRefusedHost(line: string): string | undefined {
  return /^deny (?:network-outbound |http-request \S+ https?:\/\/)([\w.-]+:\d{1,5}|[\w.-]+(?=[/ ]))/.exec(line)?.[1]
}
