/**
 * Eight dispatch processes, a claude and a reader use one file at the same time. CONTEST_ROUNDS=500 is the full length.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const MERGERS = 8
const isLong = process.env['CONTEST_ROUNDS'] !== undefined
const ROUNDS = Number(process.env['CONTEST_ROUNDS'] ?? 25)

interface Figures {
  lostChanges: number
  rejectedChanges: number
  lostRivalChanges: number
  /** Changes that claude dropped because it never got the lock. */
  gaveUp: number
  wrote: number
  reads: number
  torn: number
}

test(`${MERGERS} writers x ${ROUNDS} rounds beside a claude: nothing is lost or torn`, async t => {
  const { reads, wrote, gaveUp, ...failures } = await contest(t, 'claude', ROUNDS)
  assert.deepEqual(failures, { lostChanges: 0, rejectedChanges: 0, lostRivalChanges: 0, torn: 0 })
  t.diagnostic(`claude dropped ${gaveUp} changes because it never got the lock; that depends on the load`)
  assert.ok(wrote > 0 && reads > 0, `claude and the reader took part: ${wrote} written, ${reads} read`)
})

test('beside a writer without a lock, no file is torn and few changes are lost', async t => {
  const rounds = Math.ceil(ROUNDS / 5)
  const { lostChanges, lostRivalChanges, torn, wrote } = await contest(t, 'lockless', rounds)
  assert.equal(torn, 0)
  if (!isLong) return // A busy machine loses more. `npm run torture -- settings` asserts how many.
  // Some loss is allowed here, and only here, because a writer without a lock cannot be kept out (claude writes
  // settings.json like this). Its change is lost when it writes between the last check and the rename. A change of
  // dispatch is lost when the writer read before it and then paused for longer than the second check waits; on two
  // shared cores that happens. Decision 0014 has the figures: at worst 77 of 5,622.
  assert.ok(lostRivalChanges <= 1 + wrote / 50, `${lostRivalChanges} of ${wrote}`)
  assert.ok(lostChanges <= 1 + (MERGERS * rounds) / 50, `${lostChanges} of ${MERGERS * rounds}`)
})

async function contest(t: TestContext, rival: 'claude' | 'lockless', rounds: number): Promise<Figures> {
  const file = path.join(createScratchFolder(t), '.claude.json')
  fs.writeFileSync(file, '{}\n')
  // When every writer takes the lock, no second check is needed. The pause lets claude, which tries rarely, get its
  // turn.
  const pauseArguments = rival === 'claude' ? ['100'] : []
  const startedAt = Date.now()
  const background = [runWriter(t, rival, file), runWriter(t, 'reader', file)]
  await waitUntil(() => fs.readFileSync(file, 'utf8').includes('claude-'), 'the rival has written')
  const merging = Array.from({ length: MERGERS }, (_, index) =>
    runWriter(t, 'merger', file, `m${index}`, rounds, ...pauseArguments),
  )
  const merged = await Promise.all(merging)
  const seconds = Math.round((Date.now() - startedAt) / 100) / 10
  fs.writeFileSync(`${file}.over`, '')
  const [claude, reader] = await Promise.all(background)
  const config = JSON.parse(fs.readFileSync(file, 'utf8'))
  const done = merged.flatMap(figures => figures.done ?? [])
  const { wrote = 0, gaveUp = 0 } = claude ?? {}
  const figures = {
    lostChanges: done.filter(key => !(key in config)).length,
    rejectedChanges: MERGERS * rounds - done.length,
    lostRivalChanges: wrote - Object.keys(config).filter(key => key.startsWith('claude-')).length,
    gaveUp,
    wrote,
    reads: reader?.reads ?? 0,
    torn: reader?.torn ?? 0,
  }
  const slowest = Math.max(...merged.map(({ slowest }) => slowest ?? 0))
  t.diagnostic(`${done.length} changes in ${seconds} s, the slowest in ${slowest} ms`)
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual(
    fs.readdirSync(path.dirname(file)).sort(),
    ['.claude.json', '.claude.json.over'],
    'no draft or lock is left',
  )
  return figures
}

interface WriterFigures {
  done?: string[]
  slowest?: number
  wrote?: number
  gaveUp?: number
  reads?: number
  torn?: number
}

/** Run one writer or reader to its end, and read the figures it prints. */
async function runWriter(
  t: TestContext,
  role: string,
  file: string,
  name = '',
  rounds = 0,
  ...args: string[]
): Promise<WriterFigures> {
  const program = path.join(import.meta.dirname, '../../fixtures/settings-writer.ts')
  const child = spawn(process.execPath, [program, role, file, name, String(rounds), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  assert.equal(exitCode, 0, `${role} ${name}: ${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')
}
