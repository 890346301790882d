import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SandboxRuntimeConfig } from '@anthropic-ai/sandbox-runtime'
import { copyVariables } from '../config/environment.ts'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { findProgram } from '../exec.ts'
import { writeAtomic } from '../fs/files.ts'
import { quoteForShell } from '../shell-quote.ts'
import { listHostSockets } from './host-sockets.ts'
import { buildStdioFillers, forwardSignals, removeStaleSandboxes } from './lifecycle.ts'
import { isUnder, type SandboxPolicy, type SandboxResult } from './policy.ts'
import { listReadablePaths, type ReadablePaths } from './readable-paths.ts'
import { buildSeccompFilter } from './seccomp-filter.ts'

/** The folder of the sandbox-runtime package. Its programs must be readable inside. */
export function findRuntimeFolder(): string {
  return path.dirname(path.dirname(fileURLToPath(import.meta.resolve('@anthropic-ai/sandbox-runtime'))))
}

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

/** The configuration of sandbox-runtime for a policy. Pure but for a look at which hidden paths exist. */
export function buildRuntimeConfig(
  policy: SandboxPolicy,
  readable: ReadablePaths,
  socketFolder: string,
  platform = process.platform,
): SandboxRuntimeConfig {
  const allowWrite = [...policy.writablePaths, policy.tempFolder]
  const allowRead = [...readable.allowed, ...policy.readablePaths, findRuntimeFolder(), socketFolder].filter(
    place => !allowWrite.some(other => isUnder(place, other)),
  )
  return {
    network: {
      allowedDomains: policy.allowedHosts,
      deniedDomains: [],
      strictAllowlist: true,
      // macOS has no private loopback: a process that may listen there may also connect to any server there.
      allowLocalBinding: platform === 'darwin' && ['code', 'setup', 'check'].includes(policy.role),
      // On Linux the mounts hide the sockets of the host, and the filter of dispatch replaces that of the library.
      ...(platform === 'darwin' ? { allowUnixSockets: allowWrite } : { allowAllUnixSockets: true }),
    },
    filesystem: {
      // A writable path below a readable one is denied for reading as well, so that the library mounts it on top.
      denyRead: [
        ...readable.denied.filter(place => !policy.readablePaths.includes(place)),
        ...(platform === 'darwin' ? [] : listHostSockets(readable.allowed)),
        ...policy.hiddenPaths.filter(place => fs.existsSync(place)),
        ...allowWrite.filter(place => allowRead.some(other => isUnder(place, other))),
      ],
      allowRead: [...new Set(allowRead)],
      allowWrite: [...new Set(allowWrite)],
      denyWrite: policy.protectedPaths,
    },
    allowPty: policy.role === 'orchestrator',
    // It would search for repositories below the current folder, which is empty.
    ripgrep: { command: 'true' },
    socatPath: findProgram('socat'),
  }
}

/**
 * The script of the shell inside: it reports on file descriptor 3 that the sandbox is up, removes the variables that
 * only the library needed, and runs the command. Pure.
 */
export function buildInnerScript(policy: SandboxPolicy, command: string[]): string {
  const { folder, tempFolder, allowedHosts } = policy
  const noProxy = ['localhost', '127.0.0.1', '::1']
    .filter(name => !allowedHosts.some(host => host.startsWith(`${name}:`)))
    .join(',')
  return [
    'printf . >&3; exec 3>&-',
    // A setup may run Maven or Gradle, which find the proxy by the variable of Java only.
    `unset ${unwantedVariables}${policy.role === 'setup' ? '' : ' JAVA_TOOL_OPTIONS'}`,
    `export TMPDIR=${quoteForShell(getInnerTempFolder(tempFolder))}`,
    ...(usesProxy(policy) ? [`export NO_PROXY=${noProxy} no_proxy=${noProxy} NODE_USE_ENV_PROXY=1`] : []),
    `cd ${quoteForShell(folder)} || exit 126; unset OLDPWD`,
    `exec ${command.map(quoteForShell).join(' ')}`,
  ].join('; ')
}

/** The host and port in what the library records of a refusal; undefined for anything else. Pure. */
export function parseRefusedHost(line: string): string | undefined {
  return /^deny (?:network-outbound |http-request \S+ https?:\/\/)([\w.-]+:\d{1,5}|[\w.-]+(?=[/ ]))/.exec(line)?.[1]
}

// --- internal ---

const MAX_REFUSED_HOSTS = 20

/** The name of a socket may have 107 bytes (`unix(7)`). The library adds up to 54 to the folder. */
const MAX_SOCKET_FOLDER_BYTES = 53

/** This leaves 57 bytes for what a test puts into its temporary folder. */
const MAX_TEMP_FOLDER_BYTES = 50

/** Variables that the library sets for programs that dispatch does not run. Some contain the password of the proxy. */
const unwantedVariables = [
  'SANDBOX_RUNTIME GIT_CONFIG_PARAMETERS GIT_SSH_COMMAND SRT_SSH_PROXY_COMMAND',
  'NO_PROXY no_proxy GRPC_PROXY grpc_proxy FTP_PROXY ftp_proxy RSYNC_PROXY DOCKER_HTTP_PROXY DOCKER_HTTPS_PROXY',
  'CLOUDSDK_PROXY_TYPE CLOUDSDK_PROXY_ADDRESS CLOUDSDK_PROXY_PORT CLOUDSDK_PROXY_USERNAME CLOUDSDK_PROXY_PASSWORD',
  'CLAUDE_CODE_HOST_HTTP_PROXY_PORT CLAUDE_CODE_HOST_SOCKS_PROXY_PORT',
].join(' ')

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
  const config = buildRuntimeConfig(policy, readable, socketFolder)
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
    if (usesProxy(policy) || process.platform === 'darwin') await runtime.initialize(config)
    else runtime.updateConfig(config)
    const script = buildInnerScript(policy, command)
    const options = { commandId: policy.role }
    const { argv } = await runtime.wrapWithSandboxArgv(script, '/bin/sh', config, undefined, undefined, options)
    const commandLine = addIsolation(argv.at(-1) ?? '', policy, path.join(socketFolder, 'filter'))
    const result = await superviseSandbox(commandLine, innerEnvironment)
    return refusedHosts.size > 0 ? { ...result, refusedHosts: [...refusedHosts] } : result
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { hasStarted: false, exitCode: null, signal: null, milliseconds: 0, reason }
  } finally {
    stopListening()
    runtime.cleanupAfterCommand()
    await runtime.reset()
  }
}

/** A setup has a proxy even if it may reach no host, because the proxy knows which hosts it asked for. Pure. */
function usesProxy({ role, allowedHosts }: SandboxPolicy): boolean {
  return allowedHosts.length > 0 || role === 'setup'
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

/**
 * Add what the library leaves open: the namespaces of IPC, with the shared memory of the host, and UTS; the filter of system
 * calls, which bubblewrap reads from a file; and /tmp/claude of the host, which the library shares with every sandbox.
 */
function addIsolation(commandLine: string, { tempFolder }: SandboxPolicy, filterFile: string): string {
  if (process.platform === 'darwin') return commandLine
  const filter = buildSeccompFilter()
  if (filter === undefined) throw new Error(`there is no filter of system calls for ${process.arch}`)
  fs.writeFileSync(filterFile, filter)
  const bubblewrap = `${quoteForShell(findProgram('bwrap'))} --unshare-ipc --unshare-uts --seccomp 4 --new-session `
  const innerTempFolder = getInnerTempFolder(tempFolder)
  const mount = innerTempFolder === tempFolder ? '' : `--bind ${quoteForShell(tempFolder)} ${innerTempFolder} `
  const isolated = commandLine
    .replace('bwrap --new-session ', () => bubblewrap)
    .replaceAll(/ --bind \/tmp\/claude \/tmp\/claude(?= )/g, '')
    .replace(' --dev /dev ', () => ` ${mount}--dev /dev `)
  if (!isolated.includes('--seccomp 4 ') || !isolated.includes(`${mount}--dev /dev `))
    throw new Error('the command line of sandbox-runtime has an unknown form')
  return `${isolated} 4<${quoteForShell(filterFile)}`
}

/** Where the folder for temporary files is inside: Linux has a short place for it, because a socket's path has 107 bytes. */
function getInnerTempFolder(tempFolder: string): string {
  const isShort = Buffer.byteLength(tempFolder) <= MAX_TEMP_FOLDER_BYTES
  return isShort || process.platform === 'darwin' ? tempFolder : '/tmp/dispatch'
}

/** Start the sandbox, wait for its end, and report how it ended. */
function superviseSandbox(commandLine: string, env: Record<string, string>): Promise<SandboxResult> {
  // `exec` makes the sandbox a direct child, which dies with this process. A regular file is not passed on as it is: a
  // process inside could open it again for writing through /proc, past every restriction.
  const stdio = [0, 1, 2].map(fd => (isFile(fd) ? 'pipe' : fd))
  const nullFd = fs.openSync('/dev/null', 'r')
  const child = spawn('/bin/sh', ['-c', `exec ${commandLine}`], {
    env,
    stdio: [...stdio, 'pipe', ...buildStdioFillers(nullFd)] as ['pipe', 'pipe', 'pipe', 'pipe'],
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

function isFile(fd: number): boolean {
  try {
    return fs.fstatSync(fd).isFile()
  } catch {
    return false
  }
}
