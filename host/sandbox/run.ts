import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SandboxRuntimeConfig } from '@anthropic-ai/sandbox-runtime'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { findProgram } from '../exec.ts'
import { writeAtomic } from '../fs/files.ts'
import { quoteForShell } from '../shell-quote.ts'
import { buildStdioFillers, forwardSignals, removeStaleSandboxes } from './lifecycle.ts'
import { isUnder, type SandboxPolicy, type SandboxResult } from './policy.ts'
import { listReadablePaths, type ReadablePaths } from './readable-paths.ts'

/** The package of the sandbox itself: its helper program must be readable inside. */
export function findRuntimeFolder(): string {
  return path.dirname(path.dirname(fileURLToPath(import.meta.resolve('@anthropic-ai/sandbox-runtime'))))
}

/**
 * Run a command inside, to its end, and answer its exit code. This process stays beside it: it carries the only way out
 * (a proxy on loopback), hands signals and the terminal's size in, and when it dies, all inside dies with it. A sandbox that
 * does not come up is exit 11, never a run without one.
 */
export async function runSandboxed(
  policy: SandboxPolicy,
  command: string[],
  environment = process.env,
): Promise<number> {
  const temp = chooseSocketFolder()
  removeStaleSandboxes(temp)
  const scene = fs.realpathSync(fs.mkdtempSync(path.join(temp, `dsp-${process.pid}-`)))
  const ended = await runEnclosed(policy, command, scene, environment).finally(() =>
    fs.rmSync(scene, { recursive: true, force: true }),
  )
  if (policy.resultFile !== undefined) writeAtomic(policy.resultFile, JSON.stringify(ended))
  if (!ended.hasStarted) throw createSandboxError(ended.reason)
  return ended.exitCode ?? toExitCode(ended.signal)
}

/** What the library is told. Pure but for a look at what is there. */
export function buildRuntimeConfig(
  policy: SandboxPolicy,
  reads: ReadablePaths,
  scene: string,
  platform = process.platform,
): SandboxRuntimeConfig {
  const write = [...policy.writablePaths, policy.tempFolder]
  const allowRead = [...reads.allowed, ...policy.readablePaths, findRuntimeFolder(), scene].filter(
    place => !write.some(other => isUnder(place, other)),
  )
  return {
    network: {
      allowedDomains: policy.allowedHosts,
      deniedDomains: [],
      strictAllowlist: true,
      // A Mac has no loopback of its own to give away: whoever may serve there, may also call whoever serves there.
      allowLocalBinding: platform === 'darwin' && ['code', 'setup', 'check'].includes(policy.role),
    },
    filesystem: {
      // Under a place that is only read, what may be written is taken away once more: the library lays it on top then.
      denyRead: [
        ...reads.denied,
        ...policy.hiddenPaths.filter(place => fs.existsSync(place)),
        ...write.filter(place => allowRead.some(other => isUnder(place, other))),
      ],
      allowRead: [...new Set(allowRead)],
      allowWrite: [...new Set(write)],
      denyWrite: policy.protectedPaths,
    },
    allowPty: policy.role === 'orchestrator',
    // It would look for repositories below the folder that this process stands in, and that one is empty.
    ripgrep: { command: 'true' },
    socatPath: findProgram('socat'),
  }
}

/** What the shell inside does before the command: say that it is there, and take away what only the library needed. Pure. */
export function buildInnerScript({ folder, tempFolder, allowedHosts }: SandboxPolicy, command: string[]): string {
  const loopback = ['localhost', '127.0.0.1', '::1'].filter(
    name => !allowedHosts.some(host => host.startsWith(`${name}:`)),
  )
  return [
    'printf . >&3; exec 3>&-',
    `unset ${unwantedVariables.join(' ')}`,
    `export TMPDIR=${quoteForShell(tempFolder)}`,
    ...(allowedHosts.length > 0
      ? [`export NO_PROXY=${loopback.join(',')} no_proxy=${loopback.join(',')} NODE_USE_ENV_PROXY=1`]
      : []),
    `cd ${quoteForShell(folder)} || exit 126; unset OLDPWD`,
    `exec ${command.map(quoteForShell).join(' ')}`,
  ].join('; ')
}

/** The environment inside, built from empty. Pure. */
function buildInnerEnvironment(
  { inheritedVariables, variables, toolFolders }: SandboxPolicy,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const taken = inheritedVariables.flatMap(name => (environment[name] === undefined ? [] : [[name, environment[name]]]))
  const inside: Record<string, string> = { ...Object.fromEntries(taken), ...variables }
  const search = [...toolFolders, inside['PATH'] ?? ''].filter(Boolean).join(path.delimiter)
  return { ...inside, ...(search === '' ? {} : { PATH: search }) }
}

/** PATH without the folders that an agent can write, and without those that mean another one everywhere. Pure. */
function filterSearchPath(searchPath: string, writable: string[]): string {
  const folders = searchPath.split(path.delimiter).filter(folder => path.isAbsolute(folder))
  return folders
    .filter(folder => !writable.some(place => isUnder(resolveRealPath(folder) ?? folder, place)))
    .join(path.delimiter)
}

// --- internal ---

/** What the library sets beside the way out: for programs that nobody of ours runs, and with its password in them. */
const unwantedVariables = [
  'SANDBOX_RUNTIME',
  'GIT_CONFIG_PARAMETERS',
  'GIT_SSH_COMMAND',
  'SRT_SSH_PROXY_COMMAND',
  'GRPC_PROXY',
  'grpc_proxy',
  'FTP_PROXY',
  'ftp_proxy',
  'RSYNC_PROXY',
  'DOCKER_HTTP_PROXY',
  'DOCKER_HTTPS_PROXY',
  'CLOUDSDK_PROXY_TYPE',
  'CLOUDSDK_PROXY_ADDRESS',
  'CLOUDSDK_PROXY_PORT',
  'CLOUDSDK_PROXY_USERNAME',
  'CLOUDSDK_PROXY_PASSWORD',
  'CLAUDE_CODE_HOST_HTTP_PROXY_PORT',
  'CLAUDE_CODE_HOST_SOCKS_PROXY_PORT',
  'JAVA_TOOL_OPTIONS',
  'NO_PROXY',
  'no_proxy',
]

async function runEnclosed(
  policy: SandboxPolicy,
  command: string[],
  scene: string,
  environment: NodeJS.ProcessEnv,
): Promise<SandboxResult> {
  const kept = policy.protectedPaths.filter(place => fs.existsSync(path.dirname(place)))
  for (const place of [...policy.writablePaths, policy.tempFolder, ...kept]) prepareWritablePath(place)
  const inside = buildInnerEnvironment(policy, environment)
  // The library looks at the folder it stands in, and leaves its sockets where TMPDIR says.
  process.chdir(scene)
  process.env['TMPDIR'] = scene
  // Nor does anything out here come from where an agent can put a program: project tools stand on PATH for those inside.
  process.env['PATH'] = filterSearchPath(process.env['PATH'] ?? '', [
    ...policy.writablePaths,
    policy.tempFolder,
    policy.folder,
    ...policy.toolFolders,
  ])
  const reads = listReadablePaths(inside['PATH'] ?? '', inside['HOME'] ?? os.homedir())
  const config = buildRuntimeConfig(policy, reads, scene)
  const { ['SandboxManager']: fence } = await import('@anthropic-ai/sandbox-runtime')
  try {
    // A process that may reach no host needs no proxy: on Linux its network is empty, and a start costs half. The library must
    // still have the configuration: it takes `ripgrep` from nowhere else, and a search by an `rg` that is not installed leaves
    // a timer behind that keeps this process alive for ten seconds.
    if (policy.allowedHosts.length > 0 || process.platform === 'darwin') await fence.initialize(config)
    else fence.updateConfig(config)
    const wrapped = await fence.wrapWithSandboxArgv(
      buildInnerScript(policy, command),
      '/bin/sh',
      config,
      undefined,
      undefined,
      { commandId: policy.role },
    )
    return await superviseSandbox(isolateIpc(wrapped.argv.at(-1) ?? ''), inside)
  } catch (error) {
    return {
      hasStarted: false,
      exitCode: null,
      signal: null,
      milliseconds: 0,
      reason: error instanceof Error ? error.message : String(error),
    }
  } finally {
    fence.cleanupAfterCommand()
    await fence.reset()
  }
}

/** The library leaves the host's shared memory and message queues within reach; one more wall, or no sandbox. */
function isolateIpc(line: string, platform = process.platform): string {
  if (platform === 'darwin') return line
  const bubblewrap = `${quoteForShell(findProgram('bwrap'))} --unshare-ipc --unshare-uts --new-session `
  const higher = line.replace('bwrap --new-session ', () => bubblewrap)
  if (higher === line) throw new Error('sandbox-runtime words its command in a way that we do not know')
  return higher
}

/** Start it, stand beside it, and say how it ended. */
function superviseSandbox(line: string, env: Record<string, string>): Promise<SandboxResult> {
  // `exec`, so that the sandbox is our own child and dies with us. A plain file is not handed in: who holds one open could
  // open it anew by /proc, for writing, past every wall.
  const stdio = [0, 1, 2].map(fd => (isFile(fd) ? 'pipe' : fd))
  const nothing = fs.openSync('/dev/null', 'r')
  const child = spawn('/bin/sh', ['-c', `exec ${line}`], {
    env,
    stdio: [...stdio, 'pipe', ...buildStdioFillers(nothing)] as ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  if (stdio[0] === 'pipe') {
    child.stdin?.on('error', () => undefined) // It may end without reading its input.
    process.stdin.pipe(child.stdin as NodeJS.WritableStream)
  }
  child.stdout?.pipe(process.stdout, { end: false })
  child.stderr?.pipe(process.stderr, { end: false })
  let began: number | undefined
  const signal = child.stdio[3] as NodeJS.ReadableStream
  signal.on('data', () => {
    began ??= performance.now()
  })
  signal.on('error', () => undefined)
  const letGo = forwardSignals(child)
  return new Promise(resolve => {
    const end = (exitCode: number | null, by: string | null, reason: string) => {
      letGo()
      process.stdin.unref?.()
      const milliseconds = began === undefined ? 0 : Math.round(performance.now() - began)
      resolve({ hasStarted: began !== undefined, exitCode, signal: by, milliseconds, reason })
    }
    child.once('error', error => end(null, null, error.message))
    child.once('close', (code, by) =>
      end(
        code,
        by,
        began !== undefined ? '' : `it ended (${code === null ? by : `exit ${code}`}) before the command began`,
      ),
    )
  })
}

/**
 * A place that may be written is there, and is what its name says: a link in it, laid by an earlier agent, would open
 * whatever it points at.
 */
function prepareWritablePath(place: string): void {
  let there = place
  while (fs.lstatSync(there, { throwIfNoEntry: false }) === undefined) there = path.dirname(there)
  const real = resolveRealPath(there)
  if (real !== there)
    throw new DispatchError(
      `${there} is a link${real === undefined ? '' : ` to ${real}`}: nothing is opened for writing through a link`,
      {
        exitCode: exitCodes.integrity,
      },
    )
  if (there !== place) fs.mkdirSync(place, { recursive: true, mode: 0o700 })
}

function resolveRealPath(place: string): string | undefined {
  try {
    return fs.realpathSync(place)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP')) return undefined
    throw error
  }
}

/** A folder for sockets: the whole name of one may have 107 bytes (`unix(7)`), of which ours take 54 at most. */
function chooseSocketFolder(): string {
  const named = os.tmpdir()
  return Buffer.byteLength(named) <= 53 ? named : '/tmp'
}

function isFile(fd: number): boolean {
  try {
    return fs.fstatSync(fd).isFile()
  } catch {
    return false
  }
}

function toExitCode(signal: string | null): number {
  return 128 + (os.constants.signals[signal as NodeJS.Signals] ?? 0)
}

function createSandboxError(why: string): DispatchError {
  return new DispatchError(`the sandbox did not start: ${why}`, {
    exitCode: exitCodes.sandbox,
    remedy: '`dispatch doctor` says what this machine lacks.',
  })
}
