import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { copyVariables } from '../config/environment.ts'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { writeAtomic } from '../fs/files.ts'
import { startModelRelay } from '../model/start-relay.ts'
import { addIsolation, buildInnerScript, buildRuntimeConfig, usesProxy } from './command-line.ts'
import { removeStaleSandboxes } from './lifecycle.ts'
import { isUnder, type SandboxPolicy, type SandboxResult } from './policy.ts'
import { listReadablePaths } from './readable-paths.ts'
import { superviseSandbox } from './supervise.ts'

/**
 * Run a command in the sandbox to its end, and return its exit code. This process stays beside it: it runs the proxy on
 * loopback that is the only way to the network, and forwards signals and the terminal size. When it dies, everything
 * inside dies. Exit 11 when the sandbox does not start; the command never runs without one.
 */
export async function runSandboxed(policy: SandboxPolicy, command: string[]): Promise<number> {
  const tempFolder = Buffer.byteLength(os.tmpdir()) <= MAX_SOCKET_FOLDER_BYTES ? os.tmpdir() : '/tmp'
  removeStaleSandboxes(tempFolder)
  const socketFolder = fs.realpathSync(fs.mkdtempSync(path.join(tempFolder, `dsp-${process.pid}-`)))
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

/** The host and port in what the library records of a refusal; undefined for anything else. Pure. */
export function parseRefusedHost(line: string): string | undefined {
  return /^deny (?:network-outbound |http-request \S+ https?:\/\/)([\w.-]+:\d{1,5}|[\w.-]+(?=[/ ]))/.exec(line)?.[1]
}

// --- internal ---

const MAX_REFUSED_HOSTS = 20

/** The name of a socket may have 107 bytes (`unix(7)`). The library adds up to 54 to the folder. */
const MAX_SOCKET_FOLDER_BYTES = 53

async function runIsolated(policy: SandboxPolicy, command: string[], socketFolder: string): Promise<SandboxResult> {
  const protectedPaths = policy.protectedPaths.filter(place => fs.existsSync(path.dirname(place)))
  for (const place of [...policy.writablePaths, policy.tempFolder, ...protectedPaths]) prepareWritablePath(place)
  const innerEnvironment = buildInnerEnvironment(policy)
  // The library inspects the current folder, and creates its sockets in TMPDIR.
  process.chdir(socketFolder)
  process.env['TMPDIR'] = socketFolder
  // This process runs no program from a folder that an agent can write. Tools of the project are on PATH only inside.
  process.env['PATH'] = filterSearchPath(process.env['PATH'] ?? '', [
    ...policy.writablePaths,
    policy.tempFolder,
    policy.folder,
    ...policy.toolFolders,
  ])
  const readable = listReadablePaths(innerEnvironment['PATH'] ?? '', innerEnvironment['HOME'] ?? os.homedir())
  const relay = policy.model && (await startModelRelay(policy.model))
  const relayed = relay ? { ...policy, allowedHosts: [...policy.allowedHosts, relay.host] } : policy
  const config = buildRuntimeConfig(relayed, readable, socketFolder)
  const { ['SandboxManager']: runtime } = await import('@anthropic-ai/sandbox-runtime')
  const refusedHosts = new Set<string>()
  const stopListening = runtime.getSandboxViolationStore().subscribe(violations => {
    for (const host of violations.flatMap(({ line }) => parseRefusedHost(line) ?? []))
      if (refusedHosts.size < MAX_REFUSED_HOSTS) refusedHosts.add(host)
  })
  try {
    // Without a proxy the network inside is empty on Linux, and the start takes half the time. The library still needs
    // the configuration, because it reads `ripgrep` only there. If it ran an `rg` that is not installed, it would leave a
    // timer that keeps this process alive for ten seconds.
    if (usesProxy(relayed) || process.platform === 'darwin') await runtime.initialize(config)
    else runtime.updateConfig(config)
    const script = buildInnerScript(relayed, command)
    const options = { commandId: policy.role }
    const { argv } = await runtime.wrapWithSandboxArgv(script, '/bin/sh', config, undefined, undefined, options)
    const commandLine = addIsolation(argv.at(-1) ?? '', policy, path.join(socketFolder, 'filter'))
    const result = await superviseSandbox(commandLine, { ...innerEnvironment, ...relay?.variables })
    return refusedHosts.size > 0 ? { ...result, refusedHosts: [...refusedHosts] } : result
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { hasStarted: false, exitCode: null, signal: null, milliseconds: 0, reason }
  } finally {
    stopListening()
    await relay?.close()
    runtime.cleanupAfterCommand()
    await runtime.reset()
  }
}

/** The environment inside, built from empty. */
function buildInnerEnvironment({ inheritedVariables, variables, toolFolders }: SandboxPolicy): Record<string, string> {
  const inner = { ...copyVariables(inheritedVariables), ...variables }
  const searchPath = [...toolFolders, inner['PATH'] ?? ''].filter(Boolean).join(path.delimiter)
  return { ...inner, ...(searchPath === '' ? {} : { PATH: searchPath }) }
}

/** PATH without the folders that an agent can write, and without relative ones. */
function filterSearchPath(searchPath: string, writableFolders: string[]): string {
  return searchPath
    .split(path.delimiter)
    .filter(folder => path.isAbsolute(folder))
    .filter(folder => !writableFolders.some(place => isUnder(resolveRealPath(folder) ?? folder, place)))
    .join(path.delimiter)
}

/** Create a writable path. Exit 13 when a part of it is a link, because an earlier agent may have created the link. */
function prepareWritablePath(place: string): void {
  let existing = place
  while (fs.lstatSync(existing, { throwIfNoEntry: false }) === undefined) existing = path.dirname(existing)
  const target = resolveRealPath(existing)
  if (target !== existing)
    throw new DispatchError(
      `${existing} is a link${target === undefined ? '' : ` to ${target}`}; the sandbox makes no link writable`,
      { exitCode: exitCodes.integrity, remedy: 'Remove the link, if you know what it is, and try again.' },
    )
  if (existing !== place) fs.mkdirSync(place, { recursive: true, mode: 0o700 })
}

/** The path without links; undefined when it does not exist. */
function resolveRealPath(place: string): string | undefined {
  try {
    return fs.realpathSync(place)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP')) return undefined
    throw error
  }
}
