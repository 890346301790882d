/** What becomes of what hooks say: on record, a sign of life, a call for a person, or a parked session. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { it, type TestContext } from 'node:test'
import type { RunnerContext } from '#runner/context.ts'
import { parseHookEvent } from '#runner/orchestrator/hook-inbox.ts'
import { ResumeReminder } from '#runner/orchestrator/usage-limit-pause.ts'
import { OrchestratorWatch } from '#runner/orchestrator/watch.ts'
import { appendEvent, type EventBody } from '#session/log'
import { applyEvent, initialStatus, type SessionStatus } from '#session/status'

/** A session with one worker, whose orchestrator has begun. */
function opened(t: TestContext) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-hear-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const paths = { events: path.join(folder, 'events.jsonl') }
  const running = {
    session: { id: 'swift-otter-1', paths, manifest: { claude: { sessionId: 'o' } } },
    status: initialStatus as SessionStatus,
    record: (happening: EventBody) => {
      const event = appendEvent(paths.events, happening, running.status.lastSeq, new Date())
      running.status = applyEvent(running.status, event)
      heard.push(happening)
      return event
    },
  }
  const heard: EventBody[] = []
  const watch = new OrchestratorWatch(running as unknown as RunnerContext)
  const say = (event: string, fields: object = {}, by = '') => {
    const told = parseHookEvent(
      JSON.stringify({ hook_event_name: event, session_id: by === '' ? 'o' : 'w', ...fields }),
      by,
    )
    if (told) watch.processHookEvent(told)
  }
  say('UserPromptSubmit', { prompt: 'Begin.' })
  const none = { model: 'm', clauses: [], files: [], blockedBy: null } as const
  running.record({ type: 'worker.queued', worker: 'hello', kind: 'code', ...none, clauses: [], files: [] })
  heard.length = 0
  return { running, heard, watch, say }
}

const failed = { tool_name: 'Bash', error: 'Exit code 3\noops', is_interrupt: false }
const limited = { error: 'rate_limit', last_assistant_message: "You've hit your 5-hour limit · resets 9:39am (UTC)" }

it('a failed tool is on record with whose it was, at most fifty times, and not when a person interrupted it', t => {
  const { heard, say } = opened(t)
  say('PostToolUseFailure', failed)
  say('PostToolUseFailure', failed, 'hello')
  say('PostToolUseFailure', failed, 'nobody')
  say('PostToolUseFailure', { ...failed, is_interrupt: true })
  const of = (who: string) => ({ type: 'tool.failed', agent: who, tool: 'Bash', reason: 'Exit code 3 oops' })
  say('PostToolUseFailure', { ...failed, tool_input: { command: 'submit' } }) // Our own no is no failure.
  assert.deepEqual(heard, [of('orchestrator'), of('hello')])
  for (let count = 0; count < 100; count++) say('PostToolUseFailure', failed)
  assert.equal(heard.length, 50)
})

it('a prompt is an answer where one is waited for, told by the terminal; a loop of them gives new rounds once', t => {
  const { heard, say, running } = opened(t)
  const [commit, tree] = ['a'.repeat(40), 'b'.repeat(40)]
  say('UserPromptSubmit', { prompt: 'while it works' })
  assert.deepEqual(heard, [])
  const used = [1, 2, 3, 4].map(round => {
    running.record({ type: 'judging.started', round, commit, tree })
    running.record({ type: 'question.asked', question: 'and now?' })
    say('UserPromptSubmit', { prompt: 'go on' })
    assert.deepEqual(heard.at(-1), { type: 'question.answered', source: 'its terminal' })
    assert.equal(running.status.phase, 'planning')
    return running.status.round - running.status.roundOffset
  })
  assert.deepEqual(used, [0, 1, 2, 3])
})

it('a subagent’s end is on record', t => {
  const { heard, say } = opened(t)
  say('SubagentStop', { agent_type: 'Explore' })
  say('SubagentStop', {}, 'hello')
  assert.deepEqual(heard, [
    { type: 'subagent.ended', agent: 'orchestrator', kind: 'Explore' },
    { type: 'subagent.ended', agent: 'hello', kind: 'unnamed' },
  ])
})

it('F45: a limit parks and calls nobody; another error of the vendor still calls a person', t => {
  const { heard, say, running } = opened(t)
  say('StopFailure', limited)
  say('StopFailure', limited)
  assert.deepEqual(
    heard.map(({ type }) => type),
    ['usage-limit.reached'],
  )
  say('StopFailure', {
    ...limited,
    last_assistant_message: "You've hit your weekly limit · resets Jan 20, 2031, 7am (UTC)",
  })
  assert.equal(running.status.usageLimit?.resetsAt, '2031-01-20T07:00:00.000Z')
  say('UserPromptSubmit', { prompt: 'The usage limit is over. Go on where you stopped.' })
  assert.ok(running.status.usageLimit, 'a prompt alone proves nothing')
  say('Stop', { last_assistant_message: 'on it' })
  assert.deepEqual(
    heard.slice(1).map(event => (event.type === 'usage-limit.lifted' ? event.source : event.type)),
    ['usage-limit.reached', 'the clock', 'turn.ended'],
  )
  say('StopFailure', { error: 'authentication_failed', error_details: '401' })
  assert.equal(running.status.phase, 'needs you')
})

it('F45: a worker’s limit is the worker’s; the orchestrator will meet it by itself', t => {
  const { heard, say } = opened(t)
  say('StopFailure', limited, 'hello')
  assert.deepEqual(heard, [])
})

it('F54: a prompt of 1 MiB that was cut at 64 KiB still begins the session; nonsense is nothing', t => {
  const { watch, heard, running } = opened(t)
  running.status = initialStatus
  const long = JSON.stringify({ session_id: 'o', hook_event_name: 'UserPromptSubmit', prompt: 'x'.repeat(1024 * 1024) })
  const told = parseHookEvent(long.slice(0, 65_536), '')
  assert.ok(told?.prompt && told.prompt.length > 60_000 && long.includes(told.prompt))
  watch.processHookEvent(told)
  assert.deepEqual(heard, [{ type: 'orchestrator.started', claudeSessionId: 'o' }])
  const nonsense = ['', 'x', '{"hook_event_name":"Sto', '[1', '{"hook_event_name":[]}', '['.repeat(1024 * 1024)]
  const hostile = '{"__proto__":{"hook_event_name":"UserPromptSubmit","session_id":"o"},"prompt":"x'
  for (const text of [...nonsense, hostile, `${hostile}"}`]) {
    const one = parseHookEvent(text, '')
    if (one) watch.processHookEvent(one)
  }
  assert.equal(heard.length, 1)
})

it('F45: it is asked again at the limit’s end, every five minutes when that was too early, every half an hour without one', t => {
  const { running, say } = opened(t)
  const minute = 60_000
  const now = Date.now()
  const reminder = new ResumeReminder()
  const isDue = (minutes: number) => reminder.isDue(running as unknown as RunnerContext, now + minutes * minute)
  assert.ok(!isDue(0))
  say('StopFailure', { error: 'rate_limit' })
  assert.deepEqual([0, 29, 31].map(isDue), [false, false, true])
  reminder.recordAttempt(now + 31 * minute)
  assert.deepEqual([32, 60, 62].map(isDue), [false, false, true])
  const end = new Date(Math.ceil(now / minute) * minute + 120 * minute)
  running.record({ type: 'usage-limit.reached', reason: 'x', resetsAt: end.toISOString() })
  assert.deepEqual([62, 119, 123].map(isDue), [false, false, true])
  reminder.recordAttempt(now + 123 * minute)
  assert.deepEqual([124, 127, 129].map(isDue), [false, false, true])
  running.record({ type: 'usage-limit.lifted', source: 'you' })
  assert.ok(!isDue(600))
})

it('F43: a login that is lost while the session runs calls its owner with the way, exit 7', t => {
  const { heard, say } = opened(t)
  const lost = { error: 'authentication_failed', last_assistant_message: 'Not logged in · Please run /login' }
  say('StopFailure', lost)
  const why =
    'claude stopped with an error: authentication_failed: Not logged in · Please run /login. Run `claude`, then /login'
  assert.deepEqual(heard, [{ type: 'human.needed', reason: why, exitCode: 7 }])
})
