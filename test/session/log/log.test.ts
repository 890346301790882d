import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { appendEvent, type Event, parseEvent, readLog } from '#session/log'
import { computeGenesisHash, serializeEvent } from '#session/log/log.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const time = '2026-11-20T21:00:00.000Z'
const asked = (seq: number, question = `question ${seq}`): Event => ({ seq, time, type: 'question.asked', question })
const line = (seq: number) => JSON.stringify(asked(seq))

test('appended events are read in order, numbered from 1', t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const questions = ['a', 'b "c"\n\r\t', '\u2028 \0 😀 \\', '}{', 'x'.repeat(60_000)]
  for (const [index, question] of questions.entries())
    appendEvent(file, { type: 'question.asked', question }, index, new Date(time))
  const { events, unreadableLines } = readLog(file)
  assert.deepEqual(
    events,
    questions.map((question, index) => asked(index + 1, question)),
  )
  assert.equal(unreadableLines, 0)
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
})

test('a missing log reads as an empty one', t => {
  const log = readLog(path.join(createScratchFolder(t), 'events.jsonl'))
  assert.deepEqual([log.events, log.unreadableLines, log.head, log.lastSeq], [[], 0, null, 0])
})

test('a damaged line is counted, stays in the file, and spoils no other', t => {
  const intact = `\n${line(1)}\n\n${line(2)}\n`
  const table: [name: string, text: string, seqs: number[], unreadable: number][] = [
    ['intact', intact, [1, 2], 0],
    ['torn at the end', `${intact}\n{"seq":3,"time":"2026`, [1, 2], 1],
    ['torn, then another line', `\n${line(1)}\n\n{"seq":2,"a\n${line(3)}\n`, [1, 3], 1],
    ['spliced', `\n${line(1)}${line(2)}\n\n${line(3)}\n`, [3], 1],
    ['a run of NUL', `${intact}${'\0'.repeat(4096)}\n${line(3)}\n`, [1, 2, 3], 1],
    ['NUL before a line', `${intact}\0\0${line(3)}\n${line(4)}\n`, [1, 2, 4], 1],
    ['a BOM on a line of its own', `\ufeff${intact}`, [1, 2], 0],
    ['CRLF', intact.replaceAll('\n', '\r\n'), [1, 2], 0],
    ['a lone CR in white space', `\r\n\r${line(1)}\r\n`, [1], 0],
    ['blank lines', `\n\n  \n\t\n${intact}`, [1, 2], 0],
    ['an unknown event type', `${intact}\n{"seq":3,"time":"${time}","type":"moon.landed"}\n`, [1, 2], 1],
    ['an event type from the prototype', `${intact}\n{"seq":3,"time":"${time}","type":"constructor"}\n`, [1, 2], 1],
    [
      'fields of the wrong shape',
      `${intact}\n{"seq":3,"time":"${time}","type":"question.asked","question":7}\n`,
      [1, 2],
      1,
    ],
    ['no number', `${intact}\n{"time":"${time}","type":"question.asked","question":"x"}\n`, [1, 2], 1],
    ['a negative number', `${intact}\n${line(1).replace('"seq":1', '"seq":-1')}\n`, [1, 2], 1],
    ['JSON that is not an event', `${intact}null\n[]\n7\n"x"\n{}\n`, [1, 2], 5],
    ['bytes that are not UTF-8', `${intact}\xff\xfe\n`, [1, 2], 1],
    ['out of order', `\n${line(2)}\n${line(1)}\n`, [2, 1], 0],
  ]
  for (const [name, text, seqs, unreadable] of table) {
    const file = path.join(createScratchFolder(t), 'events.jsonl')
    fs.writeFileSync(file, Buffer.from(text, name.includes('UTF-8') ? 'latin1' : 'utf8'))
    const log = readLog(file)
    assert.deepEqual([log.events.map(event => event.seq), log.unreadableLines], [seqs, unreadable], name)
    appendEvent(file, { type: 'question.asked', question: 'next' }, 8, new Date(time))
    assert.deepEqual(readLog(file).events.at(-1), asked(9, 'next'), `${name}: the next line is intact`)
    assert.ok(fs.readFileSync(file).includes(Buffer.from(text, name.includes('UTF-8') ? 'latin1' : 'utf8')), name)
  }
})

test('unknown fields are dropped, and cannot reach a prototype', () => {
  const event = parseEvent(
    `{"seq":1,"time":"${time}","type":"question.asked","question":"x","__proto__":{"polluted":1},"more":2}`,
  )
  assert.deepEqual(event, asked(1, 'x'))
  assert.equal((event as object as { polluted?: number }).polluted, undefined)
})

test('a line longer than 64 KiB is not written', t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const frameBytes = Buffer.byteLength(serializeEvent(asked(1, ''), computeGenesisHash('x'))) + 2
  const longest = 'x'.repeat(64 * 1024 - frameBytes)
  appendEvent(file, { type: 'question.asked', question: longest }, 0, new Date(time))
  assert.throws(
    () => appendEvent(file, { type: 'question.asked', question: `${longest}x` }, 1, new Date(time)),
    /too long/,
  )
  assert.throws(
    () => appendEvent(file, { type: 'question.asked', question: 'ü'.repeat(40_000) }, 1, new Date(time)),
    /too long/,
  )
  assert.equal(fs.statSync(file).size, 64 * 1024)
  assert.equal(readLog(file).events.length, 1)
})

test('a log below a file is a storage error', t => {
  const file = path.join(createScratchFolder(t), 'file')
  fs.writeFileSync(file, '')
  assert.throws(
    () => appendEvent(path.join(file, 'events.jsonl'), { type: 'question.asked', question: 'x' }, 0, new Date()),
    (error: unknown) => error instanceof DispatchError && error.exitCode === 10,
  )
})

test('a writer that is killed in a line loses no acknowledged line of another', async t => {
  const folder = createScratchFolder(t)
  const file = path.join(folder, 'events.jsonl')
  const steady = startWriter('steady')
  for (let kills = 0; kills < 4; kills++) {
    const victim = startWriter(`victim-${kills}`)
    await waitUntil(() => victim.acknowledged.length > 20 + kills * 7, 'the writer to write')
    victim.child.kill('SIGKILL')
    await victim.ended
    check(victim)
  }
  await waitUntil(() => steady.acknowledged.length > 200, 'the other writer to continue')
  steady.child.kill('SIGKILL')
  await steady.ended
  check(steady)

  function startWriter(name: string) {
    const acknowledgements = path.join(folder, name)
    const stdout = fs.openSync(acknowledgements, 'a')
    const child = spawn(
      process.execPath,
      [path.join(import.meta.dirname, '../../fixtures/session/writer.ts'), file, name],
      {
        stdio: ['ignore', stdout, 'inherit'],
        env: { ...process.env, NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'dispatch-test-compiled') },
      },
    )
    fs.closeSync(stdout)
    t.after(() => child.kill('SIGKILL'))
    return {
      name,
      child,
      ended: once(child, 'exit'),
      get acknowledged() {
        return fs.readFileSync(acknowledgements, 'utf8').split('\n').slice(0, -1)
      },
    }
  }

  function check({ name, acknowledged }: ReturnType<typeof startWriter>): void {
    const reasons = readLog(file).events.map(event => (event.type === 'verdict.voided' ? event.reason : ''))
    const written = new Set(reasons.map(reason => reason.trimEnd().split(' ', 2).join(' ')))
    const missing = acknowledged.filter(count => !written.has(`${name} ${count}`))
    assert.deepEqual(missing, [], `${name}: of ${acknowledged.length} acknowledged`)
    assert.ok(acknowledged.length > 20)
  }
})

test('an event that could not be read back is not written', t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const broken = { type: 'budget.reached', spentUsd: Number.NaN, budgetUsd: 1 } as const
  assert.throws(() => appendEvent(file, broken, 0, new Date(time)), /could not be read back/)
  assert.ok(!fs.existsSync(file))
})
