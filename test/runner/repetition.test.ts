import assert from 'node:assert/strict'
import fs from 'node:fs'
import { type TestContext, test } from 'node:test'
import { AwakeClock } from '#host/awake-clock.ts'
import { RepeatedCalls, RepetitionWatch } from '#runner/repetition.ts'
import { createWatchedSession } from '../fixtures/watched-session.ts'

let calls = 0

/** Two lines as claude writes them: a call of Bash, and what it returned. The words of the model differ each time. */
function call(command: string, output: string): string {
  const id = `toolu_${++calls}`
  const use = { type: 'tool_use', id, name: 'Bash', input: { command, description: `again ${id}` } }
  const lines = [
    { type: 'assistant', message: { role: 'assistant', content: [{ type: 'text', text: 'Again.' }, use] } },
    { type: 'user', message: { role: 'user', content: [{ tool_use_id: id, type: 'tool_result', content: output }] } },
  ]
  return lines.map(line => `${JSON.stringify(line)}\n`).join('')
}

/** A session whose worker writes to its stream, looked at as often as the runner looks. */
function watchWorker(t: TestContext) {
  const { context, recorded } = createWatchedSession(t)
  const { folder, stream } = context.session.paths.worker('hello')
  fs.mkdirSync(folder, { recursive: true })
  context.record({ type: 'worker.started', worker: 'hello' })
  recorded.length = 0
  let nowMs = 0
  const clock = new AwakeClock(() => nowMs)
  const watch = new RepetitionWatch()
  const write = (...texts: string[]) => {
    fs.appendFileSync(stream, texts.join(''))
    nowMs += 2000
    watch.check({ ...context, status: context.status, clock })
  }
  write()
  return { context, recorded, write }
}

test('the same command with the same result eight times is told once, and again when it is over', t => {
  const { context, recorded, write } = watchWorker(t)
  for (let times = 1; times < 8; times++) write(call('npm test', 'red'))
  assert.deepEqual(recorded, [])
  write(call('npm test', 'red'))
  write(call('npm test', 'red'), call('npm test', 'red'))
  const told = { type: 'command.repeated', agent: 'hello', target: 'npm test' }
  assert.deepEqual(recorded, [{ ...told, times: 8 }])
  assert.match(context.status.remarks[0]?.text ?? '', /^hello has run the same command 8 times.*: npm test$/)
  write(call('npm test', 'green'))
  assert.deepEqual(recorded.slice(1), [{ ...told, times: 10, isOver: true }])
  assert.deepEqual(context.status.remarks, [])
})

test('other output, another command between, and waiting for workers are no repetition', () => {
  const count = (traffic: [command: string, output: string][]) => {
    const repeated = new RepeatedCalls()
    for (const [index, [command, content]] of traffic.entries()) {
      const id = String(index)
      repeated.add({ kind: 'call', id, tool: 'Bash', input: { command } })
      repeated.add({ kind: 'result', id, content })
    }
    return repeated.last.times
  }
  const many = Array.from({ length: 10 })
  assert.equal(count(many.map(() => ['make', 'done'])), 10)
  assert.equal(count(many.map((_, index) => ['make', `${index} left`])), 1)
  assert.equal(
    count(
      many.flatMap(
        () =>
          [
            ['make', 'red'],
            ['cat a', 'b'],
          ] as [string, string][],
      ),
    ),
    1,
  )
  assert.equal(count(many.map(() => ['wait-workers', 'none'])), 0)
  assert.equal(count(many.map(() => ['submit', 'refused: nothing has changed'])), 10, 'a tool that refuses')
  assert.equal(
    count(
      many.flatMap(
        () =>
          [
            ['make', 'red'],
            ['wait-workers', ''],
          ] as [string, string][],
      ),
    ),
    10,
  )
})
