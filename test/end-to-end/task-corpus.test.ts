/**
 * Corpus C1: every text goes through the real command line, typed or from a file in turn, up to the stored task and the
 * orchestrator's system prompt. A `tmux` that fails ends each start there, so a case takes a third of a second. Some texts
 * go on to a real terminal and a program that imitates claude's start, and some to claude. `npm test` takes a few of each;
 * `npm run torture -- corpora` gives every text both ways, and all go on.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type RunResult, runProgram } from '#host/exec.ts'
import { resolveSessionPaths } from '#session/paths.ts'
import { installRecorder } from '../fixtures/recording-claude.ts'
import { entryPoint, idleScenario, openRig, type Rig } from '../fixtures/rig.ts'
import { HANG_MS } from '../fixtures/scratch.ts'
import { CANARY_FILE, type TaskSeed, taskSeeds } from '../fixtures/task-seeds.ts'
import { areAllCasesWanted, sampleCases } from '../long/select-cases.ts'

const ways = ['typed', '--file'] as const
type Way = (typeof ways)[number]
interface Outcome extends RunResult {
  /** The folder of this task's session. Each task has its own home. */
  workspace: string
}

let rig: Rig
let refusingPath: string
let recordingPath: string

before(async () => {
  rig = await openRig(idleScenario)
  recordingPath = installRecorder(rig)
  const bin = path.join(rig.home, 'refusing')
  fs.mkdirSync(bin)
  fs.writeFileSync(
    path.join(bin, 'tmux'),
    '#!/bin/sh\n[ "$1" = -V ] && exec echo tmux 3.3a\necho "no terminal today" >&2\nexit 1\n',
    { mode: 0o755 },
  )
  refusingPath = `${bin}:${rig.environment['PATH']}`
})

after(() => rig.close())

it('the corpus has sixty texts', () => {
  assert.equal(taskSeeds.length, 60)
  assert.equal(new Set(taskSeeds.map(({ name }) => name)).size, 60)
})

describe('a task is stored byte for byte or refused, and never run', {
  concurrency: 4,
}, () => {
  for (const [index, seed] of sampleCases([...taskSeeds.entries()], 12))
    for (const way of areAllCasesWanted ? ways : ways.slice(index % 2, (index % 2) + 1))
      it(`${seed.name}, ${way}`, async () => {
        const { workspace, exitCode, stdout, stderr } = await give(seed, way, { PATH: refusingPath })
        if (seed.refusal) {
          assert.equal(exitCode, 2, stdout + stderr)
          assert.match(stderr, seed.refusal)
          assert.ok(!fs.existsSync(workspace), 'a session was made')
        } else {
          assert.equal(exitCode, 6, stdout + stderr)
          assert.match(stderr, /no terminal today/)
          assertStored(workspace, seed)
        }
        await assertNothingRan()
      })
})

describe('in a real terminal', { concurrency: 4 }, () => {
  const hard = [8, 10, 14, 25, 29, 30, 37, 40, 45, 60].flatMap(n => taskSeeds[n - 1] ?? [])
  for (const seed of areAllCasesWanted ? taskSeeds.filter(({ refusal }) => !refusal) : sampleCases(hard, 2))
    it(seed.name, async () => {
      const { workspace, exitCode, stderr } = await give(seed, 'typed', { PATH: recordingPath })
      try {
        assert.equal(exitCode, 0, stderr)
        const { folder } = assertStored(workspace, seed)
        const args = fs.readFileSync(path.join(folder, 'recorded'))
        assert.ok(args.includes('--append-system-prompt-file'))
        if (seed.bytes.length > 3) assert.ok(!args.includes(seed.bytes), 'the task is in the arguments of claude')
        await assertNothingRan()
      } finally {
        await rig.dispatch(['stop', '--all'], { env: { DISPATCH_HOME: path.dirname(workspace) } })
      }
    })
})

describe('in the first request of claude', { concurrency: 4 }, () => {
  const texts = [10, 30, 43].flatMap(n => taskSeeds[n - 1] ?? [])
  for (const seed of sampleCases(texts, 1))
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

it('an argument over the limit of the system never reaches dispatch', async () => {
  const ran = await runProgram('/bin/sh', ['-c', 'x=$(cat); exec sh "$0" "$x"', entryPoint], {
    env: { ...rig.environment, DISPATCH_HOME: path.join(rig.home, 'never') },
    input: 'x'.repeat(131_072),
  })
  assert.equal(ran.exitCode, 126)
  assert.ok(!fs.existsSync(path.join(rig.home, 'never')))
})

it('a task from a file or pipe must be text that ends', async () => {
  for (const [file, pattern] of [
    ['/dev/zero', /NUL byte/],
    [rig.home, /is a folder/],
    ['/nowhere', /nowhere does not exist/],
  ] as const) {
    const ran = await rig.dispatch(['--file', file])
    assert.equal(ran.exitCode, 2, ran.stderr)
    assert.match(ran.stderr, pattern)
  }
  const endless = await runProgram('/bin/sh', ['-c', 'yes | sh "$0" -', entryPoint], {
    env: rig.environment,
    timeoutMs: HANG_MS,
  })
  assert.equal(endless.exitCode, 2)
  assert.match(endless.stderr, /standard input has \d+ or more bytes/)
  const piped = await runProgram('/bin/sh', ['-c', 'printf "from a pipe" | sh "$0" --file /dev/stdin', entryPoint], {
    env: { ...rig.environment, PATH: refusingPath, DISPATCH_HOME: path.join(rig.home, 'piped') },
  })
  assert.equal(piped.exitCode, 6, piped.stderr)
  assertStored(path.join(rig.home, 'piped/workspace'), { name: '', bytes: Buffer.from('from a pipe') })
})

// --- internal ---

let count = 0

/** Give a task to the real command line, in its own home. What no argument can hold goes to standard input. */
async function give({ bytes }: TaskSeed, way: Way, changes: Record<string, string>): Promise<Outcome> {
  const home = path.join(rig.home, 'given', String(++count))
  const cwd = path.join(rig.home, 'elsewhere')
  const env = { ...rig.environment, DISPATCH_HOME: home, ...changes }
  const workspace = path.join(home, 'workspace')
  const options = { env, cwd, timeoutMs: HANG_MS }
  if (way === '--file') {
    const file = path.join(rig.home, `task-${count}`)
    fs.writeFileSync(file, bytes)
    return { ...(await runProgram('/bin/sh', [entryPoint, '--file', file], options)), workspace }
  }
  if (bytes.length > 131_071 || bytes.includes(0))
    return { ...(await runProgram('/bin/sh', [entryPoint, '-'], { ...options, input: bytes })), workspace }
  // Only a shell can pass bytes that are not UTF-8. The dot keeps the line breaks at the end.
  const dashes = bytes[0] === 0x2d ? '--' : ''
  const script = `x=$(cat; echo .); exec sh "$0" ${dashes} "\${x%.}"`
  return { ...(await runProgram('/bin/sh', ['-c', script, entryPoint], { ...options, input: bytes })), workspace }
}

function assertStored(workspace: string, { bytes }: TaskSeed): { folder: string } {
  const [id, ...others] = fs.readdirSync(workspace)
  assert.ok(id !== undefined && others.length === 0, 'expected exactly one session')
  const paths = resolveSessionPaths(path.join(workspace, id))
  assert.ok(fs.readFileSync(paths.task).equals(bytes), 'the stored task differs')
  assert.ok(fs.readFileSync(paths.systemPrompt).includes(bytes), 'the system prompt does not hold the task')
  return paths
}

async function assertNothingRan(): Promise<void> {
  assert.deepEqual(fs.readdirSync(path.join(rig.home, 'elsewhere')), [])
  // Sessions of other cases make and remove folders meanwhile, which `find` does not mind.
  const { stdout } = await runProgram('find', [rig.home])
  assert.ok(stdout.includes(rig.home))
  assert.deepEqual(
    stdout.split('\n').filter(name => name.endsWith(CANARY_FILE)),
    [],
  )
}
