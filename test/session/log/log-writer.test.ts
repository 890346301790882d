/** Each line of a log names the hash of the line before it, and changes by another process are found. */
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

/** A log of three lines, and its writer. */
function startLog(t: TestContext) {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const writer = new LogWriter(file, id)
  for (const question of ['one', 'two', 'three']) writer.append(asked(question), new Date())
  return { file, writer }
}

test('each line names the hash of the line before, and the first the session', t => {
  const { file, writer } = startLog(t)
  const prevs = lines(file).map(line => JSON.parse(line).prev)
  assert.deepEqual(prevs, [
    computeGenesisHash(id),
    ...lines(file)
      .slice(0, 2)
      .map(line => hash('sha256', line)),
  ])
  const log = readLog(file, id)
  assert.deepEqual([log.head, log.lastSeq, log.chainBreaks, log.chainStart], [writer.head, 3, [], 1])
  assert.equal(log.head, hash('sha256', lines(file)[2] ?? ''))
  assert.deepEqual(readLog(file, 'another').chainBreaks, [1])
  assert.equal(writer.checkForDamage(), undefined)
  writer.requireIntact()
})

test('when the clock is set back, no event is before the last one', t => {
  const { file, writer } = startLog(t)
  const late = writer.append(asked('four'), new Date(Date.now() + 60_000)).time
  const after = [writer, new LogWriter(file, id)].map(each => each.append(asked('five'), new Date()).time)
  assert.deepEqual(after, [late, late])
})

test('the next writer continues after a line that a crash has torn', t => {
  const { file } = startLog(t)
  fs.appendFileSync(file, '\n{"seq":4,"time":"20')
  const next = new LogWriter(file, id)
  next.append(asked('four'), new Date())
  const log = readLog(file, id)
  assert.deepEqual([log.events.length, log.unreadableLines, log.chainBreaks, next.damage], [4, 1, [], undefined])
  next.requireIntact()
})

test('a log of an older dispatch is chained from where a newer one continues', t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const old = (seq: number) => `\n${JSON.stringify({ seq, time: new Date(0).toISOString(), ...asked('x') })}\n`
  fs.writeFileSync(file, old(1) + old(2))
  assert.deepEqual([readLog(file, id).chainStart, readLog(file, id).chainBreaks], [null, []])
  const writer = new LogWriter(file, id)
  writer.append(asked('three'), new Date())
  assert.deepEqual([readLog(file, id).chainStart, readLog(file, id).chainBreaks], [3, []])
  fs.appendFileSync(file, old(4))
  assert.deepEqual(readLog(file, id).chainBreaks, [4], 'a line without prev after the start of the chain')
})

test('appendEvent follows the last line, however long it is', t => {
  const { file } = startLog(t)
  appendEvent(file, asked('x'.repeat(60_000)), 3, new Date())
  appendEvent(file, asked('five'), 4, new Date())
  assert.deepEqual(readLog(file, id).chainBreaks, [])
  const first = path.join(createScratchFolder(t), id, 'events.jsonl')
  fs.mkdirSync(path.dirname(first))
  appendEvent(first, asked('one'), 0, new Date())
  assert.deepEqual(readLog(first, id).chainBreaks, [])
})

/** A change by another process, and how the writer describes it. */
const changes: [name: string, change: (file: string) => void, description: RegExp][] = [
  ['a line added', file => fs.appendFileSync(file, `\n{"seq":4,"time":"x","type":"y"}\n`), /lines after line 3/],
  ['a line added that follows the last', file => appendEvent(file, asked('f'), 3, new Date()), /lines after line 3/],
  [
    'the last line removed',
    file => fs.writeFileSync(file, lines(file).slice(0, 2).join('\n')),
    /no longer ends with line 3/,
  ],
  ['a line changed', file => edit(file, 'two', 'TWO'), /chain of events\.jsonl is broken at line 3/],
  ['the last line changed', file => edit(file, 'three', 'THREE'), /no longer ends with line 3/],
  ['truncated to nothing', file => fs.truncateSync(file), /no longer ends with line 3/],
  ['removed', file => fs.rmSync(file), /is gone/],
  ['a link in its place', file => replace(file, fs.symlinkSync), /not a plain file/],
  ['a folder in its place', file => replace(file, (_, folder) => fs.mkdirSync(folder)), /not a plain file/],
]

function edit(file: string, from: string, to: string): void {
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(from, to))
}

function replace(file: string, create: (moved: string, file: string) => void): void {
  fs.renameSync(file, `${file}.moved`)
  create(`${file}.moved`, file)
}

for (const [name, change, description] of changes) {
  test(`${name}: found once, and the log stays damaged`, t => {
    const { file, writer } = startLog(t)
    change(file)
    assert.match(writer.checkForDamage() ?? '', description)
    assert.equal(writer.checkForDamage(), undefined)
    writer.append(asked('after'), new Date())
    assert.equal(writer.checkForDamage(), undefined)
    assert.ok(readLog(file, id).chainBreaks.length > 0, fs.readFileSync(file, 'utf8'))
    assert.throws(
      () => writer.requireIntact(),
      (error: unknown) => error instanceof DispatchError && error.exitCode === 13,
    )
    assert.match(new LogWriter(file, id).damage ?? '', /chain of events\.jsonl is broken/)
  })
}

test('bytes added after the last line are found, though they break no chain', t => {
  const { file, writer } = startLog(t)
  fs.appendFileSync(file, 'rubbish')
  assert.match(writer.checkForDamage() ?? '', /bytes that its runner did not write/)
  assert.throws(() => writer.requireIntact(), /did not write/)
})

test('new rights or times, and a copy put back, are not damage', t => {
  const { file, writer } = startLog(t)
  fs.chmodSync(file, 0o640)
  assert.equal(writer.checkForDamage(), undefined)
  fs.utimesSync(file, 0, 0)
  assert.equal(writer.checkForDamage(), undefined)
  fs.copyFileSync(file, `${file}.copy`)
  fs.renameSync(`${file}.copy`, file)
  assert.equal(writer.checkForDamage(), undefined)
  writer.append(asked('four'), new Date())
  writer.requireIntact()
})

test('an edit of the same length in the same clock tick is found by requireIntact', t => {
  for (let tries = 0; tries < 20; tries++) {
    const { file, writer } = startLog(t)
    const fd = fs.openSync(file, 'r+')
    fs.writeSync(fd, 'TWO', fs.readFileSync(file, 'utf8').indexOf('two'))
    fs.closeSync(fd)
    assert.throws(() => writer.requireIntact(), /broken at line 3/)
  }
})

test('a disk that writes part of a line, or reports an error, is not damage', t => {
  const { file, writer } = startLog(t)
  const write = t.mock.method(fs, 'writeSync', (fd: number, bytes: Buffer) => {
    write.mock.restore()
    return fs.writeSync(fd, bytes.subarray(0, 20))
  })
  assert.throws(() => writer.append(asked('four'), new Date()), /disk is full/)
  assert.equal(writer.checkForDamage(), undefined)
  const sync = t.mock.method(fs, 'fdatasyncSync', () => {
    sync.mock.restore()
    throw Object.assign(new Error('EIO'), { code: 'EIO' })
  })
  assert.throws(() => writer.append(asked('four'), new Date()), /reports an error/)
  assert.equal(writer.checkForDamage(), undefined)
  assert.equal(
    writer.append(asked('five'), new Date()).seq,
    5,
    'the line reached the disk despite the error and keeps its number',
  )
  writer.requireIntact()
  assert.deepEqual(readLog(file, id).chainBreaks, [])
})

test('a line that is there although the disk reported an error is told once, and the next one follows it', t => {
  const { file, writer } = startLog(t)
  // The disk reports the error after it has written the line.
  t.mock.method(fs, 'fdatasyncSync', () => {
    throw Object.assign(new Error('EIO'), { code: 'EIO' })
  })
  assert.throws(() => writer.append(asked('four'), new Date()), { exitCode: 10 })
  t.mock.restoreAll()
  assert.equal(writer.checkForDamage(), undefined)
  const kept = writer.takeKept()
  assert.ok(kept?.type === 'question.asked' && kept.question === 'four' && kept.seq === 4)
  assert.equal(writer.takeKept(), undefined)
  assert.equal(writer.append(asked('five'), new Date()).seq, 5)
  assert.deepEqual(readLog(file, id).chainBreaks, [])
})
