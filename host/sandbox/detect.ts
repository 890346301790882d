import fs from 'node:fs'
import path from 'node:path'
import { findProgram, runProgram } from '../exec.ts'
import { readIfPresent } from '../fs/files.ts'
import { findRuntimeFolder } from './run.ts'

export { listReadablePaths, listToolFolders } from './readable-paths.ts'
export { buildInnerScript, buildRuntimeConfig, runSandboxed } from './run.ts'

/** What of a sandbox this machine has: one that works, or why there is none and what brings it. */
type SandboxSupport = { kind: 'bubblewrap' | 'seatbelt' } | { problem: string; remedy: string }

/** Try it out: an empty sandbox, made and left again. 20 ms, so every start may ask. */
export async function detectSandbox(
  searchPath = process.env['PATH'] ?? '',
  platform = process.platform,
): Promise<SandboxSupport> {
  if (platform === 'darwin') return detectSeatbelt()
  if (platform !== 'linux')
    return { problem: `there is no sandbox for ${platform}`, remedy: 'Run dispatch on Linux or macOS.' }
  const lacking = ['bwrap', 'socat'].filter(program => findProgram(program, searchPath) === '')
  if (lacking.length > 0) return describeMissingPrograms(lacking)
  const inner = path.join(findRuntimeFolder(), 'vendor/seccomp', process.arch, 'apply-seccomp')
  if (!fs.existsSync(inner))
    return {
      problem: `the filter of system calls does not exist for ${process.arch}`,
      remedy: 'Run dispatch on x64 or arm64.',
    }
  const env = { PATH: searchPath }
  const ran = await runProgram(
    findProgram('bwrap', searchPath),
    [...buildProbeArguments(process.geteuid?.() === 0), inner, '/bin/sh', '-c', ':'],
    { env, timeoutMs: 5000 },
  )
  if (ran.exitCode === 0) return { kind: 'bubblewrap' }
  return {
    problem: describeBubblewrapError(ran.stderr, ran.timedOut),
    remedy: chooseNamespaceRemedy(readNamespaceLimits()),
  }
}

/** Which programs are not there, and how they come. Pure. */
export function describeMissingPrograms(programs: string[]): { problem: string; remedy: string } {
  const packages = programs.map(program => (program === 'bwrap' ? 'bubblewrap' : program))
  return {
    problem: `${programs.join(' and ')} ${programs.length > 1 ? 'are' : 'is'} not on PATH`,
    remedy: `\`apt-get install ${packages.join(' ')}\`.`,
  }
}

/** bubblewrap's own last words, shortened to what a person can use. Pure. */
export function describeBubblewrapError(stderr: string, timedOut = false): string {
  if (timedOut) return 'bubblewrap did not answer in 5 s'
  const said =
    stderr
      .trim()
      .split('\n')[0]
      ?.replace(/^bwrap: /, '') ?? ''
  if (
    /No permissions to create (a )?new namespace|Creating new namespace failed|setting up uid map|apply-seccomp/i.test(
      said,
    )
  )
    return `this machine lets nobody make a namespace (${said.replace(/\. See .*$/, '').slice(0, 120)})`
  if (/mount proc|Can't mount/i.test(said)) return `a container holds back /proc (${said.slice(0, 120)})`
  return `bubblewrap does not work here: ${said.slice(0, 160) || 'it says nothing'}`
}

/** What Linux says of user namespaces; undefined where it has no such switch. */
interface NamespaceLimits {
  restricted: string | undefined
  allowed: string | undefined
  max: string | undefined
}

/** The switch that stands in bwrap's way. Pure. */
export function chooseNamespaceRemedy({ restricted, allowed, max }: NamespaceLimits): string {
  const until = 'for good: a file in /etc/sysctl.d'
  if (restricted === '1')
    return `AppArmor forbids it (Ubuntu 24.04): \`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0\`; ${until}`
  if (allowed === '0') return `User namespaces are off: \`sudo sysctl kernel.unprivileged_userns_clone=1\`; ${until}`
  if (max === '0') return `User namespaces are off: \`sudo sysctl user.max_user_namespaces=15000\`; ${until}`
  return 'Inside a container it often is not allowed; run dispatch outside of it'
}

// --- internal ---

async function detectSeatbelt(): Promise<SandboxSupport> {
  const ran = await runProgram('/usr/bin/sandbox-exec', ['-p', '(version 1)(allow default)', '/usr/bin/true'], {
    timeoutMs: 5000,
  })
  if (ran.exitCode === 0) return { kind: 'seatbelt' }
  const said = ran.startError ?? ran.stderr.trim().split('\n')[0] ?? ''
  return {
    problem: `sandbox-exec does not work here: ${said.slice(0, 160)}`,
    remedy: 'It is part of macOS; a managed Mac may forbid it.',
  }
}

/** The same walls as the real ones have, round nothing. */
function buildProbeArguments(isRoot: boolean): string[] {
  const walls = [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--die-with-parent',
    '--ro-bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
  ]
  return [...walls, '--cap-drop', 'ALL', ...(isRoot ? ['--cap-add', 'CAP_SETFCAP'] : []), '--']
}

function readNamespaceLimits(): NamespaceLimits {
  const told = (name: string) => readIfPresent(`/proc/sys/${name}`)?.trim()
  return {
    restricted: told('kernel/apparmor_restrict_unprivileged_userns'),
    allowed: told('kernel/unprivileged_userns_clone'),
    max: told('user/max_user_namespaces'),
  }
}
