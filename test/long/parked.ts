/** The vendor's usage limit, with the real claude and a scripted 429 as the vendor sends it to an account. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { type ModelAction, put, type ScriptedTurn } from '#rehearsal/scenario.ts'
import { openRig, type Rig } from '../fixtures/rig.ts'

/** What the vendor answers beyond the limit; `seconds` from now it ends. */
const beyond = (seconds: number): ModelAction => ({
  refuse: 429,
  kind: 'rate_limit_error',
  reason: 'Error',
  headers: {
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': String(Math.floor(Date.now() / 1000) + seconds),
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    'x-should-retry': 'false',
  },
})

const account = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-0123456789abcdefghijABCDEFGHIJ' }

async function withLimit(refusals: ModelAction[], body: (rig: Rig) => Promise<void>): Promise<void> {
  const first: ScriptedTurn = () => refusals.shift() ?? put('contract.md', helloContract)
  const scenario = {
    title: '',
    task: helloTask,
    workers: { '*': honestWorkerTurns },
    orchestrator: [first, ...remainingTurns],
    endStates: [],
  }
  const rig = await openRig(scenario, { ...account, WATCHDOG_TIMEOUT_SEC: '5' })
  try {
    const ran = await rig.dispatch([helloTask])
    assert.equal(ran.exitCode, 0, ran.stderr)
    await rig.waitUntil('it is parked', () => rig.readStatus().usageLimit, 60)
    await body(rig)
  } finally {
    await rig.close()
  }
}

const listEventNames = (rig: Rig) => rig.readEvents().map(({ type }) => type)
const lifted = (rig: Rig) =>
  rig.readEvents().flatMap(event => (event.type === 'usage-limit.lifted' ? [event.source] : []))

describe('F45: a usage limit parks the orchestrator, and calls nobody', { concurrency: 2 }, () => {
  it('it goes on by itself when the limit is over, up to its verdict', () =>
    withLimit([beyond(1)], async rig => {
      const until = Date.parse(rig.readStatus().usageLimit?.resetsAt ?? '')
      assert.ok(Math.abs(until - Date.now()) < 5 * 60_000, `until ${rig.readStatus().usageLimit?.resetsAt}`)
      await rig.waitUntil('it has gone on', () => lifted(rig).length > 0, 100)
      assert.deepEqual(lifted(rig), ['the clock'])
      assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
      assert.equal(rig.readStatus().phase, 'PASS')
      const prompts = rig.models.requests.filter(({ body }) => body.includes('The usage limit is over. Go on where'))
      assert.ok(prompts.length > 0, 'the orchestrator was not told')
      assert.equal(listEventNames(rig).filter(is => is === 'usage-limit.reached').length, 1)
      assert.ok(!listEventNames(rig).includes('human.needed'))
    }))

  it('while it lasts nothing is stuck; the same limit again is no news; a person may go on before its end', () =>
    withLimit([beyond(7200), beyond(7200)], async rig => {
      await new Promise(resolve => setTimeout(resolve, 7000)) // Longer than nothing may happen anywhere else.
      assert.ok(!listEventNames(rig).includes('orchestrator.stuck'))
      const limit = rig.readStatus().usageLimit
      const again = await rig.dispatch(['say', rig.readSession().id, 'Try', 'again.'])
      assert.equal(again.exitCode, 0, again.stderr)
      await rig.waitUntil(
        'it is refused again',
        () => rig.models.requests.filter(seen => seen.body.includes('Try again.'))[0],
        20,
      )
      await new Promise(resolve => setTimeout(resolve, 3000))
      assert.deepEqual(rig.readStatus().usageLimit, limit)
      const now = await rig.dispatch(['say', rig.readSession().id, 'And', 'now?'])
      assert.equal(now.exitCode, 0, now.stderr)
      assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
      assert.deepEqual(lifted(rig), ['you'])
      assert.equal(listEventNames(rig).filter(is => is === 'usage-limit.reached').length, 1)
      assert.ok(!listEventNames(rig).includes('human.needed'))
    }))
})
