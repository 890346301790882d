import fs from 'node:fs'
import path from 'node:path'
import { built, install, type Policy, policyOf, type Role, run } from '../../../host/index.ts'
import type { Try } from './tries.ts'
import type { World } from './world.ts'

/** Play tries in one world, inside the sandbox of a role or (without one) in the open. Answers those that led out. */
export async function attempt(world: World, tries: [id: string, one: Try][], role?: Role): Promise<string[]> {
  const scripts = world.at('tries')
  fs.mkdirSync(scripts)
  for (const [id, { script }] of tries) fs.writeFileSync(path.join(scripts, `${id}.sh`), `${script}\n`)
  const writable = {
    orchestrator: 'state/workspace/mine/desk',
    code: 'state/workspace/mine/outputs',
    rw: 'state/workspace/mine/outputs/docs',
  } as Record<string, string>
  const own = world.at(writable[role ?? 'code'] ?? 'tree')
  fs.mkdirSync(own, { recursive: true })
  const names = { ...world.names, W: own, TRIES: scripts, SAID: world.at('scratch') }
  const env = {
    PATH: [path.dirname(process.execPath), world.at('tools/bin'), '/usr/local/bin:/usr/bin:/bin'].join(':'),
    HOME: world.at('home'),
    SECRET: world.canary,
    TMPDIR: world.names['TEMP'] ?? '',
  }
  const commands = ['/bin/sh', '-c', all]
  const policy = world.at('policy.json')
  if (role) fs.writeFileSync(policy, JSON.stringify(policyFor(role, world, own, names)))
  const door = [process.execPath, path.join(install, built, 'sandboxed.js'), policy, '--'] // As sessions start it.
  // Standard input and output are plain files of ours, as a worker has them; and somebody left a folder open (bash: sh counts to 9).
  const { folder } = world
  const redirected = 'cd "$0"; exec "$@" <state/workspace/mine/brief.md >>state/workspace/mine/stream.jsonl 99<home'
  const ran = await run('bash', ['-c', redirected, folder, ...(role ? door : []), ...commands], {
    env: role ? env : { ...env, ...names },
    cwd: folder,
    deadline: 120_000,
  })
  if (role && ran.code !== 0) throw new Error(`the sandbox of a ${role} did not work: exit ${ran.code}\n${ran.stderr}`)
  await new Promise(resolve => setTimeout(resolve, 50)) // A datagram takes its time.
  return tries.filter(([id, one]) => one.out(world, saidBy(world, id), id)).map(([, { name }]) => name)
}

/** What one printed, for whoever wonders. */
export function saidBy(world: World, id: string): string {
  return fs.readFileSync(world.at(`scratch/${id}`), 'utf8')
}

// --- internal ---

const all = [
  'exec 5>&1',
  'for one in "$TRIES"/*.sh; do',
  '  N=$(basename "$one" .sh) && export N && timeout -k 1 20 sh "$one" >"$SAID/$N" 2>&1',
  'done',
  'exit 0',
].join('\n')

function policyFor(role: Role, world: World, own: string, variables: Record<string, string>): Policy {
  const outputs = role === 'check' ? {} : { outputs: world.names['OUT'] ?? '' }
  return policyOf(role, {
    ...outputs,
    folder: own,
    scratch: world.at('scratch'),
    files: ['docs/**'],
    read: [world.at('tries'), ...(role === 'orchestrator' ? [world.names['MINE'] ?? ''] : [])],
    hide: ['evidence', 'trees.git', 'events.jsonl'].map(name => world.at(`state/workspace/mine/${name}`)),
    write: role === 'check' || role === 'orchestrator' ? [own] : [],
    hosts: [`127.0.0.1:${world.names['ALLOWED']}`],
    variables,
  })
}
