/**
 * Corpus C1: every text, typed or from a file in turn, through the real door, up to the stored task and the orders of the
 * orchestrator. A `tmux` that refuses ends each start there, and so a case costs a third of a second. Some of them go
 * on into a real terminal to a program that plays claude's start, and three to the real claude. With C1_ALL=1 (`npm run
 * torture`) every text comes both ways, and all go on.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type RunResult, runProgram } from '#host/exec.ts'
import { resolveSessionPaths } from '#session/paths.ts'
import { installRecorder } from '../fixtures/recorder.ts'
import { entryPoint, idleScenario, openRig, type Rig } from '../fixtures/rig.ts'
import { CANARY_FILE, type TaskSeed, taskSeeds } from '../fixtures/tasks.ts'

const everyWay = Boolean(process.env['C1_ALL'])

const ways = ['typed', '--file'] as const
type Way = (typeof ways)[number]
interface Given extends RunResult {
  /** Where this task's session would be: a home of its own. */
  workspace: string
}

let rig: Rig
let refusing: string
let recording: string

before(async () => {
  rig = await openRig(idleScenario)
  recording = installRecorder(rig)
  const bin = path.join(rig.home, 'refusing')
  fs.mkdirSync(bin)
  fs.writeFileSync(
    path.join(bin, 'tmux'),
    '#!/bin/sh\n[ "$1" = -V ] && exec echo tmux 3.3a\necho "no terminal today" >&2\nexit 1\n',
    { mode: 0o755 },
  )
  refusing = `${bin}:${rig.environment['PATH']}`
})

after(() => rig.close())

it('there are sixty of them', () => {
  assert.equal(taskSeeds.length, 60)
  assert.equal(new Set(taskSeeds.map(({ name }) => name)).size, 60)
})

describe('F58 a task is stored byte for byte and reaches the orders, or is refused; nothing in it is ever run', {
  concurrency: 4,
}, () => {
  for (const [at, seed] of taskSeeds.entries())
    for (const way of everyWay ? ways : ways.slice(at % 2, (at % 2) + 1))
      it(`${at + 1} ${seed.name}, ${way}`, async () => {
        const { workspace, exitCode, stdout, stderr } = await give(seed, way, { PATH: refusing })
        if (seed.refusal) {
          assert.equal(exitCode, 2, stdout + stderr)
          assert.match(stderr, seed.refusal)
          assert.ok(!fs.existsSync(workspace), 'a session was made')
        } else {
          assert.equal(exitCode, 6, stdout + stderr)
          assert.match(stderr, /no terminal today/)
          stored(workspace, seed)
        }
        nothingWasRun()
      })
})

describe('in a real terminal too', { concurrency: 4 }, () => {
  const chosen = everyWay ? taskSeeds : [8, 10, 14, 25, 29, 30, 37, 40, 45, 60].flatMap(n => taskSeeds[n - 1] ?? [])
  for (const seed of chosen.filter(({ refusal }) => !refusal))
    it(seed.name, async () => {
      const { workspace, exitCode, stderr } = await give(seed, 'typed', { PATH: recording })
      try {
        assert.equal(exitCode, 0, stderr)
        const { folder } = stored(workspace, seed)
        const words = fs.readFileSync(path.join(folder, 'recorded'))
        assert.ok(words.includes('--append-system-prompt-file'))
        if (seed.bytes.length > 3) assert.ok(!words.includes(seed.bytes), 'the task stands in the arguments of claude')
        nothingWasRun()
      } finally {
        await rig.dispatch(['stop', '--all'], { env: { DISPATCH_HOME: path.dirname(workspace) } })
      }
    })
})

describe('and in the first request of the real claude', { concurrency: 4 }, () => {
  for (const seed of [10, 30, 43].flatMap(n => taskSeeds[n - 1] ?? []))
    it(seed.name, async () => {
      const ran = await rig.dispatch(['--', seed.bytes.toString()])
      assert.equal(ran.exitCode, 0, ran.stderr)
      const id = ran.stdout.split('\n')[0] ?? ''
      try {
        const request = await rig.waitUntil('the first request', () =>
          rig.models.requests.find(({ role, body }) => role === 'orchestrator' && body.includes(id)),
        )
        const { system } = JSON.parse(request.body) as { system: { text: string }[] }
        assert.ok(system.some(({ text }) => text.includes(seed.bytes.toString())))
      } finally {
        await rig.dispatch(['stop', id])
      }
    })
})

it('an argument that is longer than the system takes never reaches us', async () => {
  const ran = await runProgram('/bin/sh', ['-c', 'x=$(cat); exec sh "$0" "$x"', entryPoint], {
    env: { ...rig.environment, DISPATCH_HOME: path.join(rig.home, 'never') },
    input: 'x'.repeat(131_072),
  })
  assert.equal(ran.exitCode, 126)
  assert.ok(!fs.existsSync(path.join(rig.home, 'never')))
})

it('a file that never ends, a folder and a missing one are refused; a pipe is a file', async () => {
  for (const [file, words] of [
    ['/dev/zero', /NUL byte/],
    [rig.home, /cannot be read: EISDIR/],
    ['/nowhere', /cannot be read: ENOENT/],
  ] as const) {
    const ran = await rig.dispatch(['--file', file])
    assert.equal(ran.exitCode, 2, ran.stderr)
    assert.match(ran.stderr, words)
  }
  const endless = await runProgram('/bin/sh', ['-c', 'yes | sh "$0" -', entryPoint], {
    env: rig.environment,
    timeoutMs: 20_000,
  })
  assert.equal(endless.exitCode, 2)
  assert.match(endless.stderr, /standard input has \d+ or more bytes/)
  const piped = await runProgram('/bin/sh', ['-c', 'printf "from a pipe" | sh "$0" --file /dev/stdin', entryPoint], {
    env: { ...rig.environment, PATH: refusing, DISPATCH_HOME: path.join(rig.home, 'piped') },
  })
  assert.equal(piped.exitCode, 6, piped.stderr)
  stored(path.join(rig.home, 'piped/workspace'), { name: '', bytes: Buffer.from('from a pipe') })
})

// --- internal ---

let count = 0

/** Give a task through the real door, in a home of its own. What no argument can hold is typed at standard input. */
async function give({ bytes }: TaskSeed, way: Way, changes: Record<string, string>): Promise<Given> {
  const own = path.join(rig.home, 'given', String(++count))
  const cwd = path.join(rig.home, 'elsewhere')
  const env = { ...rig.environment, DISPATCH_HOME: own, ...changes }
  const workspace = path.join(own, 'workspace')
  const options = { env, cwd, timeoutMs: 60_000 }
  if (way === '--file') {
    const file = path.join(rig.home, `task-${count}`)
    fs.writeFileSync(file, bytes)
    return { ...(await runProgram('/bin/sh', [entryPoint, '--file', file], options)), workspace }
  }
  if (bytes.length > 131_071 || bytes.includes(0))
    return { ...(await runProgram('/bin/sh', [entryPoint, '-'], { ...options, input: bytes })), workspace }
  // Only a shell can hand on bytes that are no UTF-8; the dot keeps the line breaks at the end.
  const dashes = bytes[0] === 0x2d ? '--' : ''
  const typing = `x=$(cat; echo .); exec sh "$0" ${dashes} "\${x%.}"`
  return { ...(await runProgram('/bin/sh', ['-c', typing, entryPoint], { ...options, input: bytes })), workspace }
}

function stored(workspace: string, { bytes }: TaskSeed): { folder: string } {
  const [id, ...others] = fs.readdirSync(workspace)
  assert.ok(id !== undefined && others.length === 0, 'there is not one session')
  const paths = resolveSessionPaths(path.join(workspace, id))
  assert.ok(fs.readFileSync(paths.task).equals(bytes), 'the task is not what was given')
  assert.ok(fs.readFileSync(paths.systemPrompt).includes(bytes), 'the orders do not hold the task')
  return paths
}

function nothingWasRun(): void {
  assert.deepEqual(fs.readdirSync(path.join(rig.home, 'elsewhere')), [])
  const made = fs.readdirSync(rig.home, { recursive: true }).filter(name => String(name).endsWith(CANARY_FILE))
  assert.deepEqual(made, [])
}
