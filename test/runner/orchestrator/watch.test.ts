import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { parseHookEvent } from '#runner/orchestrator/hook-inbox.ts'
import { getTmuxSession } from '#runner/terminal.ts'
import { initialStatus } from '#session/status'
import { waitUntil } from '../../fixtures/scratch.ts'
import { createWatchedSession } from '../../fixtures/watched-session.ts'

const failure = { tool_name: 'Bash', error: 'Exit code 3\noops', is_interrupt: false }

it('a failed tool is recorded with its agent, at most fifty times', t => {
  const { recorded, sendHookEvent } = createWatchedSession(t)
  sendHookEvent('PostToolUseFailure', failure)
  sendHookEvent('PostToolUseFailure', failure, 'hello')
  const expected = (agent: string) => ({ type: 'tool.failed', agent, tool: 'Bash', reason: 'Exit code 3 oops' })
  assert.deepEqual(recorded, [expected('orchestrator'), expected('hello')])
  for (let count = 0; count < 100; count++) sendHookEvent('PostToolUseFailure', failure)
  assert.equal(recorded.length, 50)
})

it('an interrupted tool, a refusal and an unknown agent are not recorded', t => {
  const { recorded, sendHookEvent } = createWatchedSession(t)
  sendHookEvent('PostToolUseFailure', failure, 'unknown')
  sendHookEvent('PostToolUseFailure', { ...failure, is_interrupt: true })
  sendHookEvent('PostToolUseFailure', { ...failure, tool_input: { command: 'submit' } })
  assert.deepEqual(recorded, [])
})

it('a prompt answers a question, and repeated answers give new rounds only once', t => {
  const { recorded, sendHookEvent, context } = createWatchedSession(t)
  const [commit, tree] = ['a'.repeat(40), 'b'.repeat(40)]
  sendHookEvent('UserPromptSubmit', { prompt: 'while it works' })
  assert.deepEqual(recorded, [])
  const usedRounds = [1, 2, 3, 4].map(round => {
    context.record({ type: 'judging.started', round, commit, tree })
    context.record({ type: 'question.asked', question: 'and now?' })
    sendHookEvent('UserPromptSubmit', { prompt: 'go on' })
    assert.deepEqual(recorded.at(-1), { type: 'question.answered', source: 'its terminal' })
    assert.equal(context.status.phase, 'planning')
    return context.status.round - context.status.roundOffset
  })
  assert.deepEqual(usedRounds, [0, 1, 2, 3])
})

it('the end of a subagent is recorded', t => {
  const { recorded, sendHookEvent } = createWatchedSession(t)
  sendHookEvent('SubagentStop', { agent_type: 'Explore' })
  sendHookEvent('SubagentStop', {}, 'hello')
  assert.deepEqual(recorded, [
    { type: 'subagent.ended', agent: 'orchestrator', kind: 'Explore' },
    { type: 'subagent.ended', agent: 'hello', kind: 'unnamed' },
  ])
})

it('a prompt is not a start yet, and what only an answer can cause is one', t => {
  const { watch, recorded, context, orchestratorId } = createWatchedSession(t)
  context.status = { ...initialStatus, lastSeq: context.status.lastSeq }
  const text = JSON.stringify({
    session_id: orchestratorId,
    hook_event_name: 'UserPromptSubmit',
    prompt: 'x'.repeat(1024 * 1024),
  })
  const hookEvent = parseHookEvent(text.slice(0, 65_536), '')
  assert.ok(hookEvent)
  watch.processHookEvent(hookEvent)
  assert.deepEqual(recorded, [], 'the prompt was cut at 64 KiB, and is understood')
  watch.recordActivity()
  assert.deepEqual(recorded, [{ type: 'orchestrator.started', claudeSessionId: orchestratorId }])
})

it('before the first answer a failing vendor parks the session, and one out of reach fails the start with exit 6', async t => {
  for (const [words, exitCode] of [
    ['API Error: 503 Service Unavailable', undefined],
    ['API Error: 502 dispatch cannot reach the model at llm.corp: ENOTFOUND getaddrinfo', 6],
  ] as const) {
    const { watch, context, sendHookEvent } = createWatchedSession(t)
    context.status = { ...initialStatus, lastSeq: context.status.lastSeq }
    sendHookEvent('StopFailure', { error: 'server_error', last_assistant_message: words })
    assert.equal((await watch.check())?.exitCode, exitCode, words)
    assert.equal(context.status.usageLimit?.reason, exitCode === undefined ? words : undefined)
  }
})

it('a lost login calls its owner with exit code 7 and the remedy', t => {
  const { recorded, sendHookEvent } = createWatchedSession(t)
  sendHookEvent('StopFailure', {
    error: 'authentication_failed',
    last_assistant_message: 'Not logged in · Please run /login',
  })
  const [event, ...more] = recorded
  assert.deepEqual(more, [])
  assert.ok(event?.type === 'human.needed' && event.exitCode === 7)
  assert.match(event.reason, /authentication_failed: Not logged in.*Run `claude`, then \/login$/)
})

it('a claude that is killed again and again before its first answer fails the start with its last words', async t => {
  const { watch, context } = createWatchedSession(t)
  const lastResume = { time: new Date().toISOString(), inARow: 3 }
  context.status = { ...initialStatus, lastSeq: context.status.lastSeq, lastResume }
  // tmux may take the death of a program for seen before what it has just printed.
  const isSeen = path.join(context.session.paths.folder, 'seen')
  const dying = `echo out of memory; until [ -e '${isSeen}' ]; do sleep 0.02; done; kill -9 $$`
  const windows = [dying, 'sleep 600'].map((script, index) => ({
    name: index === 0 ? 'orchestrator' : 'other',
    command: ['/bin/sh', '-c', script],
  }))
  const terminal = getTmuxSession(context.session)
  await context.tmux.openSession(terminal, windows, ['PATH'])
  try {
    const readScreen = () => context.tmux.captureText(terminal.session, 'orchestrator')
    await waitUntil(async () => (await readScreen())?.includes('out of memory'), 'its last words')
    fs.writeFileSync(isSeen, '')
    const failure = await waitUntil(() => watch.check(), 'the start fails')
    assert.equal(failure.exitCode, 6)
    assert.match(failure.reason, /killed before its first answer, and again after 3 new starts:\n.*out of memory/)
  } finally {
    await context.tmux.killServer() // While its socket is there: the folder goes first at the end of a test.
  }
})
