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

test('what was appended is read, in its order, numbered from one', t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const questions = ['a', 'b "c"\n\r\t', '\u2028 \0 😀 \\', '}{', 'x'.repeat(60_000)]
  for (const [index, question] of questions.entries())
    appendEvent(file, { type: 'question.asked', question }, index, new Date(time))
  const { events, unreadableLines } = readLog(file)
  assert.deepEqual(
    { events, unread: unreadableLines },
    { events: questions.map((question, index) => asked(index + 1, question)), unread: 0 },
  )
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
})

test('a log that is not there is an empty one', t => {
  const log = readLog(path.join(createScratchFolder(t), 'events.jsonl'))
  assert.deepEqual([log.events, log.unreadableLines, log.head, log.lastSeq], [[], 0, null, 0])
})

test('a damaged line costs itself alone, is counted, and stays in the file', t => {
  const whole = `\n${line(1)}\n\n${line(2)}\n`
  const table: [name: string, text: string, seqs: number[], unread: number][] = [
    ['whole', whole, [1, 2], 0],
    ['torn at the end', `${whole}\n{"seq":3,"time":"2026`, [1, 2], 1],
    ['torn, then another record', `\n${line(1)}\n\n{"seq":2,"a\n${line(3)}\n`, [1, 3], 1],
    ['spliced', `\n${line(1)}${line(2)}\n\n${line(3)}\n`, [3], 1],
    ['a run of NUL', `${whole}${'\0'.repeat(4096)}\n${line(3)}\n`, [1, 2, 3], 1],
    ['NUL before a record', `${whole}\0\0${line(3)}\n${line(4)}\n`, [1, 2, 4], 1],
    ['a BOM on a line of its own', `\ufeff${whole}`, [1, 2], 0],
    ['CRLF', whole.replaceAll('\n', '\r\n'), [1, 2], 0],
    ['lone CR inside white space', `\r\n\r${line(1)}\r\n`, [1], 0],
    ['blank lines', `\n\n  \n\t\n${whole}`, [1, 2], 0],
    ['a kind from the future', `${whole}\n{"seq":3,"time":"${time}","type":"moon.landed"}\n`, [1, 2], 1],
    ['a kind from the prototype', `${whole}\n{"seq":3,"time":"${time}","type":"constructor"}\n`, [1, 2], 1],
    [
      'facts of the wrong shape',
      `${whole}\n{"seq":3,"time":"${time}","type":"question.asked","question":7}\n`,
      [1, 2],
      1,
    ],
    ['no number', `${whole}\n{"time":"${time}","type":"question.asked","question":"x"}\n`, [1, 2], 1],
    ['a negative number', `${whole}\n${line(1).replace('"seq":1', '"seq":-1')}\n`, [1, 2], 1],
    ['JSON that is no event', `${whole}null\n[]\n7\n"x"\n{}\n`, [1, 2], 5],
    ['bytes that are no UTF-8', `${whole}\xff\xfe\n`, [1, 2], 1],
    ['out of order', `\n${line(2)}\n${line(1)}\n`, [2, 1], 0],
  ]
  for (const [name, text, seqs, unread] of table) {
    const file = path.join(createScratchFolder(t), 'events.jsonl')
    fs.writeFileSync(file, Buffer.from(text, name.includes('UTF-8') ? 'latin1' : 'utf8'))
    const log = readLog(file)
    assert.deepEqual([log.events.map(event => event.seq), log.unreadableLines], [seqs, unread], name)
    appendEvent(file, { type: 'question.asked', question: 'next' }, 8, new Date(time))
    assert.deepEqual(readLog(file).events.at(-1), asked(9, 'next'), `${name}: the next record is whole`)
    assert.ok(fs.readFileSync(file).includes(Buffer.from(text, name.includes('UTF-8') ? 'latin1' : 'utf8')), name)
  }
})

test('what an event has too much is dropped, and cannot reach a prototype', () => {
  const event = parseEvent(
    `{"seq":1,"time":"${time}","type":"question.asked","question":"x","__proto__":{"polluted":1},"more":2}`,
  )
  assert.deepEqual(event, asked(1, 'x'))
  assert.equal((event as object as { polluted?: number }).polluted, undefined)
})

test('a record of 64 KiB is the longest; a longer one leaves no trace', t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const frame = Buffer.byteLength(serializeEvent(asked(1, ''), computeGenesisHash('x'))) + 2
  const longest = 'x'.repeat(64 * 1024 - frame)
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

test('a log in a place that is no folder is a storage error in words', t => {
  const file = path.join(createScratchFolder(t), 'file')
  fs.writeFileSync(file, '')
  assert.throws(
    () => appendEvent(path.join(file, 'events.jsonl'), { type: 'question.asked', question: 'x' }, 0, new Date()),
    (error: unknown) => error instanceof DispatchError && error.exitCode === 10,
  )
})

test('a writer killed in the middle of a record never swallows what the other was told is written', async t => {
  const folder = createScratchFolder(t)
  const file = path.join(folder, 'events.jsonl')
  const steady = startWriter('steady')
  for (let kills = 0; kills < 4; kills++) {
    const victim = startWriter(`victim-${kills}`)
    await waitUntil(() => victim.acknowledged.length > 20 + kills * 7, 'it writes')
    victim.child.kill('SIGKILL')
    await victim.ended
    check(victim)
  }
  await waitUntil(() => steady.acknowledged.length > 200, 'the other has gone on')
  steady.child.kill('SIGKILL')
  await steady.ended
  check(steady)

  function startWriter(name: string) {
    const told = path.join(folder, name)
    const stdout = fs.openSync(told, 'a')
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
        return fs.readFileSync(told, 'utf8').split('\n').slice(0, -1)
      },
    }
  }

  function check({ name, acknowledged }: ReturnType<typeof startWriter>): void {
    const there = new Set(
      readLog(file).events.map(event => (event.type === 'verdict.voided' ? event.reason.trimEnd() : '')),
    )
    const found = new Set([...there].map(why => why.split(' ', 2).join(' ')))
    const missing = acknowledged.filter(count => !found.has(`${name} ${count}`))
    assert.deepEqual(missing, [], `${name}: of ${acknowledged.length} acknowledged`)
    assert.ok(acknowledged.length > 20)
  }
})

test('an event that no reader would take is not written', t => {
  const file = path.join(createScratchFolder(t), 'events.jsonl')
  const broken = { type: 'budget.reached', spentUsd: Number.NaN, budgetUsd: 1 } as const
  assert.throws(() => appendEvent(file, broken, 0, new Date(time)), /no reader would take this event/)
  assert.ok(!fs.existsSync(file))
})
