/** Who writes one file of the user's at the same moment: eight of ours, a claude, and a reader. CONTEST_ROUNDS=500 is the whole length. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const mergers = 8
const rounds = Number(process.env['CONTEST_ROUNDS'] ?? 100)

interface Figures {
  lostOurs: number
  refused: number
  lostTheirs: number
  /** Changes that claude left be because it never got the lock. */
  gaveUp: number
  wrote: number
  reads: number
  torn: number
}

test(`F65 ${mergers} mergers x ${rounds} rounds beside a claude that holds its lock: no key is lost, no read is torn`, async t => {
  const { reads, wrote, ...bad } = await contest(t, 'claude', rounds)
  assert.deepEqual(bad, { lostOurs: 0, refused: 0, lostTheirs: 0, gaveUp: 0, torn: 0 })
  assert.ok(wrote > 0 && reads > 20, `claude and the reader took part: ${wrote} written, ${reads} read`)
})

test('F65 beside a writer that takes no lock, as claude does with settings.json: no read is torn, and next to nothing is lost', async t => {
  const length = Math.ceil(rounds / 5)
  const { lostOurs, lostTheirs, torn, wrote } = await contest(t, 'lockless', length)
  assert.equal(torn, 0)
  // Some loss is allowed here, and only here, because a writer that takes no lock cannot be kept out. Theirs: written in the
  // half millisecond between our last look and our rename. Ours: overwritten by one who read before us and stood still for
  // longer than we look again; on two shared cores that happens. 0014 has the figures: 77 of 5,622 at the worst, so 1 in 50.
  assert.ok(lostTheirs <= 1 + wrote / 50, `${lostTheirs} of ${wrote}`)
  assert.ok(lostOurs <= 1 + (mergers * length) / 50, `${lostOurs} of ${mergers * length}`)
})

async function contest(t: TestContext, rival: 'claude' | 'lockless', length: number): Promise<Figures> {
  const file = path.join(createScratchFolder(t), '.claude.json')
  fs.writeFileSync(file, '{}\n')
  // Where everybody holds the lock nothing needs to be waited for; but claude, which asks for it rarely, needs its turn.
  const pause = rival === 'claude' ? ['100'] : []
  const began = Date.now()
  const beside = [play(t, rival, file), play(t, 'reader', file)]
  await waitUntil(() => fs.readFileSync(file, 'utf8').includes('claude-'), 'the rival takes part')
  const merging = Array.from({ length: mergers }, (_, index) => play(t, 'merger', file, `m${index}`, length, ...pause))
  const merged = await Promise.all(merging)
  const seconds = Math.round((Date.now() - began) / 100) / 10
  fs.writeFileSync(`${file}.over`, '')
  const [claude, reader] = await Promise.all(beside)
  const left = JSON.parse(fs.readFileSync(file, 'utf8'))
  const done = merged.flatMap(one => one.done ?? [])
  const { wrote = 0, gaveUp = 0 } = claude ?? {}
  const figures = {
    lostOurs: done.filter(key => !(key in left)).length,
    refused: mergers * length - done.length,
    lostTheirs: wrote - Object.keys(left).filter(key => key.startsWith('claude-')).length,
    gaveUp,
    wrote,
    reads: reader?.reads ?? 0,
    torn: reader?.torn ?? 0,
  }
  const slowest = Math.max(...merged.map(one => one.slowest ?? 0))
  t.diagnostic(`${done.length} changes in ${seconds} s, the slowest in ${slowest} ms`)
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual(
    fs.readdirSync(path.dirname(file)).sort(),
    ['.claude.json', '.claude.json.over'],
    'nothing lies about',
  )
  return figures
}

interface Told {
  done?: string[]
  slowest?: number
  wrote?: number
  gaveUp?: number
  reads?: number
  torn?: number
}

/** Run one contestant to its end, and read the figures it prints. */
async function play(
  t: TestContext,
  role: string,
  file: string,
  name = '',
  length = 0,
  ...more: string[]
): Promise<Told> {
  const program = path.join(import.meta.dirname, '../../fixtures/contestant.ts')
  const child = spawn(process.execPath, [program, role, file, name, String(length), ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [said, wrong, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  assert.equal(code, 0, `${role} ${name}: ${wrong}`)
  return JSON.parse(said.trim().split('\n').at(-1) ?? '{}')
}
