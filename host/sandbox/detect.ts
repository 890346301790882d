import { findProgram, runProgram } from '../exec.ts'
import { readIfPresent } from '../fs/files.ts'
import { SECOND_MS } from '../time.ts'
import { buildSeccompFilter } from './seccomp-filter.ts'

/** The sandbox that works on this machine, or why none does and how to get one. */
type SandboxSupport = { kind: 'bubblewrap' | 'seatbelt' } | { problem: string; remedy: string }

/** Start an empty sandbox and leave it. This takes 20 ms, so every start can do it. */
export async function detectSandbox(
  searchPath = process.env['PATH'] ?? '',
  platform = process.platform,
): Promise<SandboxSupport> {
  if (platform === 'darwin') return detectSeatbelt()
  if (platform !== 'linux')
    return { problem: `there is no sandbox for ${platform}`, remedy: 'Run dispatch on Linux or macOS.' }
  const missing = ['bwrap', 'socat'].filter(program => findProgram(program, searchPath) === '')
  if (missing.length > 0) return describeMissingPrograms(missing)
  const filter = buildSeccompFilter()
  if (filter === undefined)
    return {
      problem: `there is no filter of system calls for ${process.arch}`,
      remedy: 'Run dispatch on x64 or arm64.',
    }
  const result = await runProgram(
    findProgram('bwrap', searchPath),
    [...probeOptions, '--seccomp', '0', '--', '/bin/sh', '-c', ':'],
    { env: { PATH: searchPath }, input: filter, timeoutMs: PROBE_TIMEOUT_MS },
  )
  if (result.exitCode === 0) return { kind: 'bubblewrap' }
  return {
    problem: describeBubblewrapError(result.stderr, result.timedOut),
    remedy: chooseNamespaceRemedy(readNamespaceLimits()),
  }
}

/** Which programs are missing, and how to install them. Pure. */
export function describeMissingPrograms(programs: string[]): { problem: string; remedy: string } {
  const packages = programs.map(program => (program === 'bwrap' ? 'bubblewrap' : program))
  return {
    problem: `${programs.join(' and ')} ${programs.length > 1 ? 'are' : 'is'} not on PATH`,
    remedy: `\`apt-get install ${packages.join(' ')}\`.`,
  }
}

/** Why bubblewrap failed, by the first line of its stderr, shortened to what helps a person. Pure. */
export function describeBubblewrapError(stderr: string, timedOut = false): string {
  if (timedOut) return `bubblewrap did not answer within ${PROBE_TIMEOUT_MS / SECOND_MS} s`
  const [firstLine = ''] = stderr.trim().split('\n')
  const message = firstLine.replace(/^bwrap: /, '')
  if (NAMESPACE_ERROR.test(message))
    return `this machine does not allow user namespaces (${message.replace(/\. See .*$/, '').slice(0, 120)})`
  if (/mount proc|Can't mount/i.test(message))
    return `this container does not allow mounting /proc (${message.slice(0, 120)})`
  return `bubblewrap does not work here: ${message.slice(0, 160) || 'it printed no error'}`
}

/** The kernel settings for user namespaces; undefined for a setting that this kernel does not have. */
interface NamespaceLimits {
  restricted: string | undefined
  allowed: string | undefined
  max: string | undefined
}

/** The kernel setting that blocks bubblewrap, and the command that changes it. Pure. */
export function chooseNamespaceRemedy({ restricted, allowed, max }: NamespaceLimits): string {
  const permanent = 'to make it permanent, add it to /etc/sysctl.d'
  if (restricted === '1')
    return `AppArmor forbids it (Ubuntu 24.04): \`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0\`; ${permanent}`
  if (allowed === '0')
    return `User namespaces are off: \`sudo sysctl kernel.unprivileged_userns_clone=1\`; ${permanent}`
  if (max === '0') return `User namespaces are off: \`sudo sysctl user.max_user_namespaces=15000\`; ${permanent}`
  return 'Containers often forbid it; run dispatch outside of the container'
}

// --- internal ---

const PROBE_TIMEOUT_MS = 5 * SECOND_MS

/** The namespaces and mounts of a real sandbox, without a policy. */
const probeOptions =
  '--unshare-user --unshare-pid --unshare-net --die-with-parent --ro-bind / / --dev /dev --proc /proc --cap-drop ALL'.split(
    ' ',
  )

const NAMESPACE_ERROR = /No permissions to create (a )?new namespace|Creating new namespace failed|setting up uid map/i

async function detectSeatbelt(): Promise<SandboxSupport> {
  const result = await runProgram('/usr/bin/sandbox-exec', ['-p', '(version 1)(allow default)', '/usr/bin/true'], {
    timeoutMs: PROBE_TIMEOUT_MS,
  })
  if (result.exitCode === 0) return { kind: 'seatbelt' }
  const message = result.startError ?? result.stderr.trim().split('\n')[0] ?? ''
  return {
    problem: `sandbox-exec does not work here: ${message.slice(0, 160)}`,
    remedy: 'It is part of macOS; a managed Mac may forbid it.',
  }
}

function readNamespaceLimits(): NamespaceLimits {
  const readSysctl = (name: string) => readIfPresent(`/proc/sys/${name}`)?.trim()
  return {
    restricted: readSysctl('kernel/apparmor_restrict_unprivileged_userns'),
    allowed: readSysctl('kernel/unprivileged_userns_clone'),
    max: readSysctl('user/max_user_namespaces'),
  }
}
