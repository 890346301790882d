import fs from 'node:fs'
import path from 'node:path'
import { readIfPresent } from './files.ts'
import { programOf, run } from './run.ts'
import { runtimeFolder } from './sandbox-run.ts'

export * from './sandbox-policy.ts'
export { readsOf, toolFolders } from './sandbox-reads.ts'
export { innerScript, runSandboxed, runtimeConfig } from './sandbox-run.ts'

/** What of a sandbox this machine has: one that works, or why there is none and what brings it. */
type SandboxHere = { kind: 'bubblewrap' | 'seatbelt' } | { missing: string; remedy: string }

/** Try it out: an empty sandbox, made and left again. 20 ms, so every start may ask. */
export async function sandboxHere(
  searchPath = process.env['PATH'] ?? '',
  platform = process.platform,
): Promise<SandboxHere> {
  if (platform === 'darwin') return seatbelt()
  if (platform !== 'linux')
    return { missing: `there is no sandbox for ${platform}`, remedy: 'Run dispatch on Linux or macOS.' }
  const lacking = ['bwrap', 'socat'].filter(program => programOf(program, searchPath) === '')
  if (lacking.length > 0) return notInstalled(lacking)
  const inner = path.join(runtimeFolder(), 'vendor/seccomp', process.arch, 'apply-seccomp')
  if (!fs.existsSync(inner))
    return {
      missing: `the filter of system calls does not exist for ${process.arch}`,
      remedy: 'Run dispatch on x64 or arm64.',
    }
  const env = { PATH: searchPath }
  const ran = await run(
    programOf('bwrap', searchPath),
    [...probe(process.geteuid?.() === 0), inner, '/bin/sh', '-c', ':'],
    { env, deadline: 5000 },
  )
  if (ran.code === 0) return { kind: 'bubblewrap' }
  return { missing: refusalIn(ran.stderr, ran.timedOut), remedy: remedyFor(namespaces()) }
}

/** Which programs are not there, and how they come. Pure. */
export function notInstalled(programs: string[]): { missing: string; remedy: string } {
  const packages = programs.map(program => (program === 'bwrap' ? 'bubblewrap' : program))
  return {
    missing: `${programs.join(' and ')} ${programs.length > 1 ? 'are' : 'is'} not on PATH`,
    remedy: `\`apt-get install ${packages.join(' ')}\`.`,
  }
}

/** bubblewrap's own last words, shortened to what a person can use. Pure. */
export function refusalIn(stderr: string, timedOut = false): string {
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
interface Namespaces {
  restricted: string | undefined
  allowed: string | undefined
  most: string | undefined
}

/** The switch that stands in bwrap's way. Pure. */
export function remedyFor({ restricted, allowed, most }: Namespaces): string {
  const until = 'for good: a file in /etc/sysctl.d'
  if (restricted === '1')
    return `AppArmor forbids it (Ubuntu 24.04): \`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0\`; ${until}`
  if (allowed === '0') return `User namespaces are off: \`sudo sysctl kernel.unprivileged_userns_clone=1\`; ${until}`
  if (most === '0') return `User namespaces are off: \`sudo sysctl user.max_user_namespaces=15000\`; ${until}`
  return 'Inside a container it often is not allowed; run dispatch outside of it'
}

// --- internal ---

async function seatbelt(): Promise<SandboxHere> {
  const ran = await run('/usr/bin/sandbox-exec', ['-p', '(version 1)(allow default)', '/usr/bin/true'], {
    deadline: 5000,
  })
  if (ran.code === 0) return { kind: 'seatbelt' }
  const said = ran.unstartable ?? ran.stderr.trim().split('\n')[0] ?? ''
  return {
    missing: `sandbox-exec does not work here: ${said.slice(0, 160)}`,
    remedy: 'It is part of macOS; a managed Mac may forbid it.',
  }
}

/** The same walls as the real ones have, round nothing. */
function probe(isRoot: boolean): string[] {
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

function namespaces(): Namespaces {
  const told = (name: string) => readIfPresent(`/proc/sys/${name}`)?.trim()
  return {
    restricted: told('kernel/apparmor_restrict_unprivileged_userns'),
    allowed: told('kernel/unprivileged_userns_clone'),
    most: told('user/max_user_namespaces'),
  }
}
