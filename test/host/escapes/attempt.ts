import fs from 'node:fs'
import path from 'node:path'
import {
  buildFolder,
  buildPolicy,
  installFolder,
  runProgram,
  type SandboxPolicy,
  type SandboxRole,
} from '../../../host/index.ts'
import type { EscapeAttempt } from './tries.ts'
import type { EscapeWorld } from './world.ts'

/** Play tries in one world, inside the sandbox of a role or (without one) in the open. Answers those that led out. */
export async function runEscapes(
  world: EscapeWorld,
  tries: [id: string, one: EscapeAttempt][],
  role?: SandboxRole,
): Promise<string[]> {
  const scripts = world.pathOf('tries')
  fs.mkdirSync(scripts)
  for (const [id, { script }] of tries) fs.writeFileSync(path.join(scripts, `${id}.sh`), `${script}\n`)
  const writable = {
    orchestrator: 'state/workspace/mine/desk',
    code: 'state/workspace/mine/outputs',
    rw: 'state/workspace/mine/outputs/docs',
  } as Record<string, string>
  const own = world.pathOf(writable[role ?? 'code'] ?? 'tree')
  fs.mkdirSync(own, { recursive: true })
  const names = { ...world.names, W: own, TRIES: scripts, SAID: world.pathOf('scratch') }
  const env = {
    PATH: [path.dirname(process.execPath), world.pathOf('tools/bin'), '/usr/local/bin:/usr/bin:/bin'].join(':'),
    HOME: world.pathOf('home'),
    SECRET: world.canary,
    TMPDIR: world.names['TEMP'] ?? '',
  }
  const commands = ['/bin/sh', '-c', all]
  const policy = world.pathOf('policy.json')
  if (role) fs.writeFileSync(policy, JSON.stringify(policyFor(role, world, own, names)))
  const door = [process.execPath, path.join(installFolder, buildFolder, 'sandboxed.js'), policy, '--'] // As sessions start it.
  // Standard input and output are plain files of ours, as a worker has them; and somebody left a folder open (bash: sh counts to 9).
  const { folder } = world
  const redirected = 'cd "$0"; exec "$@" <state/workspace/mine/brief.md >>state/workspace/mine/stream.jsonl 99<home'
  const ran = await runProgram('bash', ['-c', redirected, folder, ...(role ? door : []), ...commands], {
    env: role ? env : { ...env, ...names },
    cwd: folder,
    timeoutMs: 120_000,
  })
  if (role && ran.exitCode !== 0)
    throw new Error(`the sandbox of a ${role} did not work: exit ${ran.exitCode}\n${ran.stderr}`)
  await new Promise(resolve => setTimeout(resolve, 50)) // A datagram takes its time.
  return tries.filter(([id, one]) => one.hasEscaped(world, readEscapeOutput(world, id), id)).map(([, { name }]) => name)
}

/** What one printed, for whoever wonders. */
export function readEscapeOutput(world: EscapeWorld, id: string): string {
  return fs.readFileSync(world.pathOf(`scratch/${id}`), 'utf8')
}

// --- internal ---

const all = [
  'exec 5>&1',
  'for one in "$TRIES"/*.sh; do',
  '  N=$(basename "$one" .sh) && export N && timeout -k 1 20 sh "$one" >"$SAID/$N" 2>&1',
  'done',
  'exit 0',
].join('\n')

function policyFor(
  role: SandboxRole,
  world: EscapeWorld,
  own: string,
  variables: Record<string, string>,
): SandboxPolicy {
  const outputs = role === 'check' ? {} : { outputs: world.names['OUT'] ?? '' }
  return buildPolicy(role, {
    ...outputs,
    folder: own,
    tempFolder: world.pathOf('scratch'),
    files: ['docs/**'],
    readablePaths: [world.pathOf('tries'), ...(role === 'orchestrator' ? [world.names['MINE'] ?? ''] : [])],
    hiddenPaths: ['evidence', 'trees.git', 'events.jsonl'].map(name => world.pathOf(`state/workspace/mine/${name}`)),
    writablePaths: role === 'check' || role === 'orchestrator' ? [own] : [],
    allowedHosts: [`127.0.0.1:${world.names['ALLOWED']}`],
    variables,
  })
}
