import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { LostStop } from '#runner/orchestrator/lost-stop.ts'
import { findClaudeFolder } from '#session'
import { initialStatus, type SessionStatus } from '#session/status'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const stopped = { type: 'assistant', message: { model: 'opus', content: [{ type: 'text', text: 'Done already.' }] } }
const asked = { type: 'user', message: { content: 'Begin.' } }
const working = { type: 'assistant', message: { model: 'opus', content: [{ type: 'tool_use', name: 'Bash' }] } }

/** A session whose claude has written this transcript, and what it is reminded of after so many seconds without activity. */
function remind(
  t: TestContext,
  { entries, idleSeconds, status = {} }: { entries: object[]; idleSeconds: number; status?: Partial<SessionStatus> },
) {
  const configDirectory = createScratchFolder(t)
  const context = createTestContext(
    t,
    { claude: { program: 'claude', sessionId: 'a-session', configDirectory } },
    { WATCHDOG_TIMEOUT_SEC: 900 },
  )
  const folder = path.join(findClaudeFolder(context.session) ?? assert.fail(), 'projects/here')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'a-session.jsonl'), entries.map(entry => `${JSON.stringify(entry)}\n`).join(''))
  context.status = { ...initialStatus, phase: 'planning', lastSeq: 1, ...status }
  const said: string[] = []
  const lostStop = new LostStop()
  for (let look = 0; look < 2; look++) lostStop.check(context, idleSeconds * 1000, text => said.push(text) > 0)
  return { said, context }
}

test('a claude that stopped too early is reminded once of what is next', t => {
  const { said, context } = remind(t, { entries: [asked, stopped], idleSeconds: 301 })
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /the contract is not sealed/)
  assert.equal(context.status.idleTurns, 1)
})

test('the fifth time a person is called', t => {
  const { context } = remind(t, { entries: [asked, stopped], idleSeconds: 301, status: { idleTurns: 4 } })
  assert.equal(context.status.phase, 'needs you')
})

test('one that works, waits or has just stopped is left alone', t => {
  const usageLimit = { reason: 'limit', resetsAt: null }
  for (const [entries, idleSeconds, status] of [
    [[asked, working], 301, {}],
    [[asked, stopped, asked], 301, {}],
    [[], 301, {}],
    [[asked, stopped], 299, {}],
    [[asked, stopped], 301, { phase: 'judging' }],
    [[asked, stopped], 301, { phase: 'asking' }],
    [[asked, stopped], 301, { usageLimit }],
  ] as [object[], number, Partial<SessionStatus>][])
    assert.deepEqual(
      remind(t, { entries, idleSeconds, status }).said,
      [],
      JSON.stringify([entries, idleSeconds, status]),
    )
})
