import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../exec.ts'
import { quoteForShell } from '../shell-quote.ts'
import { listHostSockets } from './host-sockets.ts'
import { isUnder, type SandboxPolicy, type SandboxRole } from './policy.ts'
import type { ReadablePaths } from './readable-paths.ts'
import { buildSeccompFilter } from './seccomp-filter.ts'

/** The folder of the sandbox-runtime package. Its programs must be readable inside. */
export function findRuntimeFolder(): string {
  return path.dirname(path.dirname(fileURLToPath(import.meta.resolve('@anthropic-ai/sandbox-runtime'))))
}

/** The configuration of sandbox-runtime for a policy. Pure but for a look at which hidden paths exist. */
export function buildRuntimeConfig(
  policy: SandboxPolicy,
  readable: ReadablePaths,
  socketFolder: string,
  platform = process.platform,
  searchPath = process.env['PATH'] ?? '',
) {
  const allowWrite = [...policy.writablePaths, policy.tempFolder]
  const isMac = platform === 'darwin'
  const needed = [...readable.allowed, ...policy.readablePaths, findRuntimeFolder(), socketFolder]
  // On Linux the library mounts what may be written, and that can be read. On macOS it lets it be written, and nothing more.
  const allowRead = isMac
    ? [...needed, ...allowWrite]
    : needed.filter(place => !allowWrite.some(other => isUnder(place, other)))
  // What the role works in is left out: its files and sockets come and go.
  const ownPaths = [policy.folder, ...allowWrite]
  const otherPaths = policy.readablePaths.filter(
    place => !ownPaths.some(own => isUnder(own, place) || isUnder(place, own)),
  )
  return {
    network: {
      allowedDomains: policy.allowedHosts,
      deniedDomains: [],
      strictAllowlist: true,
      // macOS has no private loopback: a process that may listen there may also connect to any server there.
      allowLocalBinding: isMac && mayListen(policy.role),
      // On Linux the mounts hide the sockets of the host, and the filter of dispatch replaces that of the library.
      allowUnixSockets: isMac ? allowWrite : [],
      allowAllUnixSockets: !isMac,
      // Go and Apple's own libraries verify certificates through this service, and cannot without.
      allowMachLookup: isMac && policy.allowedHosts.some(host => !isLoopback(host)) ? ['com.apple.trustd.agent'] : [],
    },
    filesystem: {
      // A writable path below a readable one is denied for reading as well, so that the library mounts it on top (Linux).
      denyRead: [
        ...readable.denied.filter(place => !policy.readablePaths.includes(place)),
        ...(isMac ? [] : listHostSockets(readable.allowed, otherPaths)),
        ...policy.hiddenPaths.filter(place => fs.existsSync(place)),
        ...(isMac ? [] : allowWrite.filter(place => allowRead.some(other => isUnder(place, other)))),
      ].map(markName),
      allowRead: [...new Set(allowRead)].map(markName),
      allowWrite: [...new Set(allowWrite)].map(markName),
      denyWrite: policy.protectedPaths.map(markName),
    },
    allowPty: true,
    // It would search for repositories below the current folder, which is empty.
    ripgrep: { command: findProgram('true', searchPath) },
    socatPath: findProgram('socat', searchPath),
  }
}

/**
 * The script of the shell inside: it reports on file descriptor 3 that the sandbox is up, removes the variables that
 * only the library needed, and runs the command. Pure.
 */
export function buildInnerScript(
  policy: SandboxPolicy,
  command: string[],
  innerTempFolder = getInnerTempFolder(policy.tempFolder),
  platform = process.platform,
): string {
  const { folder, allowedHosts, role } = policy
  const isMac = platform === 'darwin'
  // The library always sets them on macOS. Without a network they lead away from what the process itself serves.
  const unwanted = isMac && !usesProxy(policy) ? `${unwantedVariables} ${proxyVariables}` : unwantedVariables
  // A setup may run Maven or Gradle, which find the proxy by the variable of Java only.
  const keepsJava = role === 'setup'
  const noProxy = ['localhost', '127.0.0.1', '::1']
    .filter(name => !allowedHosts.some(host => host.startsWith(`${name}:`)))
    .join(',')
  return [
    'printf . >&3; exec 3>&-',
    ...(isMac ? [endWithLauncher] : []),
    `unset ${unwanted}${keepsJava ? '' : ' JAVA_TOOL_OPTIONS'}`,
    // Seatbelt does not take 127.0.0.1 for loopback on the sockets that Java opens by itself.
    ...(isMac && !keepsJava && mayListen(role) ? ['export JAVA_TOOL_OPTIONS=-Djava.net.preferIPv4Stack=true'] : []),
    `export TMPDIR=${quoteForShell(innerTempFolder)}`,
    // Where claude would make a folder in /tmp whatever TMPDIR says.
    ...(isMac && isAgent(role) ? [`export CLAUDE_CODE_TMPDIR=${quoteForShell(innerTempFolder)}`] : []),
    ...(usesProxy(policy) ? [`export NO_PROXY=${noProxy} no_proxy=${noProxy} NODE_USE_ENV_PROXY=1`] : []),
    `cd ${quoteForShell(folder)} || exit 126; unset OLDPWD`,
    `exec ${command.map(quoteForShell).join(' ')}`,
  ].join('; ')
}

/** A setup has a proxy even if it may reach no host, because the proxy knows which hosts it asked for. Pure. */
export function usesProxy({ role, allowedHosts }: SandboxPolicy): boolean {
  return allowedHosts.length > 0 || role === 'setup'
}

/**
 * Add what the library leaves open: the namespaces of IPC, with the shared memory of the host, and UTS; and the filter of
 * system calls, which bubblewrap reads from a file.
 */
export function addIsolation(commandLine: string, { tempFolder }: SandboxPolicy, filterFile: string): string {
  const filter = buildSeccompFilter()
  if (filter === undefined) throw new Error(`there is no filter of system calls for ${process.arch}`)
  fs.writeFileSync(filterFile, filter)
  const innerTempFolder = getInnerTempFolder(tempFolder)
  const mount = innerTempFolder === tempFolder ? '' : `--bind ${quoteForShell(tempFolder)} ${innerTempFolder} `
  const isolated = commandLine
    .replace(' --new-session ', ' --unshare-ipc --unshare-uts --seccomp 4 --new-session ')
    .replace(' --dev /dev ', () => ` ${mount}--dev /dev `)
  if (!isolated.includes('--seccomp 4 ') || !isolated.includes(`${mount}--dev /dev `))
    throw new Error('the command line of sandbox-runtime has an unknown form')
  return `${isolated} 4<${quoteForShell(filterFile)}`
}

/** Is there room for what a test puts below it? A socket's path has 107 bytes on Linux, and 103 on macOS. Pure. */
export function isShortTempFolder(tempFolder: string): boolean {
  return Buffer.byteLength(tempFolder) <= MAX_TEMP_FOLDER_BYTES
}

/** Where the folder for temporary files is inside: Linux mounts it at a short place. */
export function getInnerTempFolder(tempFolder: string): string {
  return isShortTempFolder(tempFolder) || process.platform === 'darwin' ? tempFolder : '/tmp/dispatch'
}

// --- internal ---

/** Does this role start servers, such as those of its tests? */
function mayListen(role: SandboxRole): boolean {
  return role === 'code' || role === 'setup' || role === 'check'
}

function isAgent(role: SandboxRole): boolean {
  return role === 'orchestrator' || role === 'code' || role === 'rw'
}

/** Is this `name:port` on this machine, as the relay to the model is? */
function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+$/.test(host)
}

/** The library would read a path with such letters as a pattern. */
function markName(place: string): string | { path: string; literal: true } {
  return /[*?[\]]/.test(place) ? { path: place, literal: true } : place
}

/** This leaves 57 bytes for what a test puts into its temporary folder. */
const MAX_TEMP_FOLDER_BYTES = 50

/** Variables that the library sets for programs that dispatch does not run. Some contain the password of the proxy. */
const unwantedVariables = [
  'SANDBOX_RUNTIME GIT_CONFIG_PARAMETERS GIT_SSH_COMMAND SRT_SSH_PROXY_COMMAND',
  'NO_PROXY no_proxy GRPC_PROXY grpc_proxy FTP_PROXY ftp_proxy RSYNC_PROXY DOCKER_HTTP_PROXY DOCKER_HTTPS_PROXY',
  'CLOUDSDK_PROXY_TYPE CLOUDSDK_PROXY_ADDRESS CLOUDSDK_PROXY_PORT CLOUDSDK_PROXY_USERNAME CLOUDSDK_PROXY_PASSWORD',
  'CLAUDE_CODE_HOST_HTTP_PROXY_PORT CLAUDE_CODE_HOST_SOCKS_PROXY_PORT',
].join(' ')

const proxyVariables = 'HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy'

/**
 * End the process group when the other end of file descriptor 4 is closed, because on macOS nothing else dies with the launcher.
 * Seatbelt lets this reach what is inside only. It is no child of the command, which would not know it.
 */
const endWithLauncher = '((read -r _ <&4; kill -KILL 0) </dev/null >/dev/null 2>&1 &); exec 4<&-'
