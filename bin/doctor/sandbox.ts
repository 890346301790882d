import { programOf, readIfPresent, run } from '../../host/index.ts'
import { type Fix, type Symptom, weak } from './symptom.ts'

/** Nothing is fenced in yet, and that is said; and whether this machine has what a sandbox needs. */
export async function sandbox(): Promise<Symptom> {
  const yet = 'agents and checks run with your rights: no sandbox is built yet'
  const { words, mend } = await tools()
  return weak('sandbox', `${yet}. ${words}`, mend)
}

async function tools(): Promise<{ words: string; mend?: Fix }> {
  if (process.platform === 'darwin')
    return { words: programOf('sandbox-exec') ? 'sandbox-exec is there' : 'sandbox-exec is not on PATH' }
  if (programOf('bwrap') === '') return { words: 'bwrap is not on PATH', mend: fix('`apt-get install bubblewrap`') }
  const ran = await run('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], { deadline: 5000 })
  if (ran.code === 0) return { words: 'bwrap works here' }
  const said = ran.stderr.trim().split('\n')[0] ?? ''
  return { words: `bwrap does not work here: ${said || `exit ${ran.code}`}`, mend: fix(remedyFor(namespaces())) }
}

/** What Linux says of user namespaces; undefined where it has no such switch. */
export interface Namespaces {
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

function namespaces(): Namespaces {
  const told = (name: string) => readIfPresent(`/proc/sys/${name}`)?.trim()
  return {
    restricted: told('kernel/apparmor_restrict_unprivileged_userns'),
    allowed: told('kernel/unprivileged_userns_clone'),
    most: told('user/max_user_namespaces'),
  }
}

function fix(linux: string): Fix {
  return { linux, mac: 'Nothing to do: macOS has sandbox-exec' }
}
