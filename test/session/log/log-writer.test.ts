/** The one who writes a log: each line hangs on to the one before it, and what anybody else does shows. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { appendEvent, type EventBody, LogWriter, readLog } from '#session/log'
import { computeGenesisHash } from '#session/log/log.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const id = '2026-11-20-x-a3f9'
const asked = (question: string): EventBody => ({ type: 'question.asked', question })
const lines = (file: string) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)

/** A log of three lines, and the one who wrote it. */
function begun(t: TestContext) {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const scribe = new LogWriter(file, id)
  for (const question of ['one', 'two', 'three']) scribe.append(asked(question), new Date())
  return { file, scribe }
}

test('each line names the one before it, the first the session; the head is the hash of the last', t => {
  const { file, scribe } = begun(t)
  const prevs = lines(file).map(line => JSON.parse(line).prev)
  assert.deepEqual(prevs, [
    computeGenesisHash(id),
    ...lines(file)
      .slice(0, 2)
      .map(line => hash('sha256', line)),
  ])
  const log = readLog(file, id)
  assert.deepEqual([log.head, log.lastSeq, log.chainBreaks, log.chainStart], [scribe.head, 3, [], 1])
  assert.equal(log.head, hash('sha256', lines(file)[2] ?? ''))
  assert.deepEqual(readLog(file, 'another').chainBreaks, [1])
  assert.equal(scribe.checkForDamage(), undefined)
  scribe.requireIntact()
})

test('a fragment that a crash left breaks nothing, and a successor goes on behind it', t => {
  const { file } = begun(t)
  fs.appendFileSync(file, '\n{"seq":4,"time":"20')
  const next = new LogWriter(file, id)
  next.append(asked('four'), new Date())
  const log = readLog(file, id)
  assert.deepEqual([log.events.length, log.unreadableLines, log.chainBreaks, next.damage], [4, 1, [], undefined])
  next.requireIntact()
})

test('a log of an older dispatch is not chained, and is from where a newer one goes on', t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const old = (seq: number) => `\n${JSON.stringify({ seq, time: new Date(0).toISOString(), ...asked('x') })}\n`
  fs.writeFileSync(file, old(1) + old(2))
  assert.deepEqual([readLog(file, id).chainStart, readLog(file, id).chainBreaks], [null, []])
  const scribe = new LogWriter(file, id)
  scribe.append(asked('three'), new Date())
  assert.deepEqual([readLog(file, id).chainStart, readLog(file, id).chainBreaks], [3, []])
  fs.appendFileSync(file, old(4))
  assert.deepEqual(readLog(file, id).chainBreaks, [4], 'a line without its link is none of ours')
})

test('a door hangs its line on to the last, however long that is', t => {
  const { file } = begun(t)
  appendEvent(file, asked('x'.repeat(60_000)), 3, new Date())
  appendEvent(file, asked('five'), 4, new Date())
  assert.deepEqual(readLog(file, id).chainBreaks, [])
  const first = path.join(createScratchFolder(t), id, 'events.jsonl')
  fs.mkdirSync(path.dirname(first))
  appendEvent(first, asked('one'), 0, new Date())
  assert.deepEqual(readLog(first, id).chainBreaks, [])
})

/** What somebody does to the log, and what its writer says of it. */
const deeds: [name: string, deed: (file: string) => void, said: RegExp][] = [
  ['a line added', file => fs.appendFileSync(file, `\n{"seq":4,"time":"x","type":"y"}\n`), /lines behind line 3/],
  ['one that hangs on to the last', file => appendEvent(file, asked('f'), 3, new Date()), /lines behind line 3/],
  ['the last line cut', file => fs.writeFileSync(file, lines(file).slice(0, 2).join('\n')), /no longer ends in line 3/],
  ['a line changed', file => edit(file, 'two', 'TWO'), /chain of events.jsonl is broken at line 3/],
  ['the last line changed', file => edit(file, 'three', 'THREE'), /no longer ends in line 3/],
  ['cut to nothing', file => fs.truncateSync(file), /no longer ends in line 3/],
  ['removed', file => fs.rmSync(file), /is gone/],
  ['a link in its place', file => replace(file, fs.symlinkSync), /no plain file/],
  ['a folder in its place', file => replace(file, (_, at) => fs.mkdirSync(at)), /no plain file/],
]

function edit(file: string, from: string, to: string): void {
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(from, to))
}

function replace(file: string, link: (to: string, at: string) => void): void {
  fs.renameSync(file, `${file}.moved`)
  link(`${file}.moved`, file)
}

for (const [name, deed, said] of deeds) {
  test(`${name}: seen at the next look, told once, in the chain from then on, and never vouched for again`, t => {
    const { file, scribe } = begun(t)
    deed(file)
    assert.match(scribe.checkForDamage() ?? '', said)
    assert.equal(scribe.checkForDamage(), undefined)
    scribe.append(asked('after'), new Date())
    assert.equal(scribe.checkForDamage(), undefined)
    assert.ok(readLog(file, id).chainBreaks.length > 0, fs.readFileSync(file, 'utf8'))
    assert.throws(
      () => scribe.requireIntact(),
      (error: unknown) => error instanceof DispatchError && error.exitCode === 13,
    )
    assert.match(new LogWriter(file, id).damage ?? '', /chain of events.jsonl is broken/)
  })
}

test('a fragment that somebody adds is seen, though it breaks no chain', t => {
  const { file, scribe } = begun(t)
  fs.appendFileSync(file, 'rubbish')
  assert.match(scribe.checkForDamage() ?? '', /bytes that its runner did not write/)
  assert.throws(() => scribe.requireIntact(), /did not write/)
})

test('what changes nothing in the log is no harm: rights, times, a copy put back', t => {
  const { file, scribe } = begun(t)
  fs.chmodSync(file, 0o640)
  assert.equal(scribe.checkForDamage(), undefined)
  fs.utimesSync(file, 0, 0)
  assert.equal(scribe.checkForDamage(), undefined)
  fs.copyFileSync(file, `${file}.copy`)
  fs.renameSync(`${file}.copy`, file)
  assert.equal(scribe.checkForDamage(), undefined)
  scribe.append(asked('four'), new Date())
  scribe.requireIntact()
})

test('an edit within the same tick of the clock, as long as what was there, is seen at the latest when it must vouch', t => {
  for (let tries = 0; tries < 20; tries++) {
    const { file, scribe } = begun(t)
    const fd = fs.openSync(file, 'r+')
    fs.writeSync(fd, 'TWO', fs.readFileSync(file, 'utf8').indexOf('two'))
    fs.closeSync(fd)
    assert.throws(() => scribe.requireIntact(), /broken at line 3/)
  }
})

test('a disk that takes no line, or a part of one, is no tampering', t => {
  const { file, scribe } = begun(t)
  const write = t.mock.method(fs, 'writeSync', (fd: number, bytes: Buffer) => {
    write.mock.restore()
    return fs.writeSync(fd, bytes.subarray(0, 20))
  })
  assert.throws(() => scribe.append(asked('four'), new Date()), /disk is full/)
  assert.equal(scribe.checkForDamage(), undefined)
  const sync = t.mock.method(fs, 'fdatasyncSync', () => {
    sync.mock.restore()
    throw Object.assign(new Error('EIO'), { code: 'EIO' })
  })
  assert.throws(() => scribe.append(asked('four'), new Date()), /reports an error/)
  assert.equal(scribe.checkForDamage(), undefined)
  assert.equal(scribe.append(asked('five'), new Date()).seq, 5, 'the line that arrived all the same keeps its number')
  scribe.requireIntact()
  assert.deepEqual(readLog(file, id).chainBreaks, [])
})
