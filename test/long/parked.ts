/** The vendor's usage limit, with the real claude and a scripted 429 as the vendor sends it for an account. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { type ModelAction, put, type ScriptedTurn } from '#rehearsal/scenario.ts'
import { openRig, type Rig } from '../fixtures/rig.ts'

/** The vendor's answer at a limit that ends in `seconds`. */
const refuseFor = (seconds: number): ModelAction => ({
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

/** Run a session whose orchestrator first gets these refusals. `run` is called when it pauses. */
async function withLimit(refusals: ModelAction[], run: (rig: Rig) => Promise<void>): Promise<void> {
  const firstTurn: ScriptedTurn = () => refusals.shift() ?? put('contract.md', helloContract)
  const scenario = {
    title: '',
    task: helloTask,
    workers: { '*': honestWorkerTurns },
    orchestrator: [firstTurn, ...remainingTurns],
    endStates: [],
  }
  const rig = await openRig(scenario, { ...account, WATCHDOG_TIMEOUT_SEC: '5' })
  try {
    const ran = await rig.dispatch([helloTask])
    assert.equal(ran.exitCode, 0, ran.stderr)
    await rig.waitUntil('it pauses', () => rig.readStatus().usageLimit)
    await run(rig)
  } finally {
    await rig.close()
  }
}

const listEventNames = (rig: Rig) => rig.readEvents().map(({ type }) => type)
const listLiftSources = (rig: Rig) =>
  rig.readEvents().flatMap(event => (event.type === 'usage-limit.lifted' ? [event.source] : []))

describe('a usage limit pauses the orchestrator, without a notification', { concurrency: 2 }, () => {
  it('it continues by itself when the limit is over, up to its verdict', () =>
    withLimit([refuseFor(1)], async rig => {
      const resetsAtMs = Date.parse(rig.readStatus().usageLimit?.resetsAt ?? '')
      assert.ok(Math.abs(resetsAtMs - Date.now()) < 5 * 60_000, `resets at ${rig.readStatus().usageLimit?.resetsAt}`)
      await rig.waitUntil('it continues', () => listLiftSources(rig).length > 0)
      assert.deepEqual(listLiftSources(rig), ['the clock'])
      assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
      assert.equal(rig.readStatus().phase, 'PASS')
      const prompts = rig.models.requests.filter(({ body }) => body.includes('The model answers again. Go on where'))
      assert.ok(prompts.length > 0, 'the orchestrator got no prompt')
      assert.equal(listEventNames(rig).filter(type => type === 'usage-limit.reached').length, 1)
      assert.ok(!listEventNames(rig).includes('human.needed'))
    }))

  it('the same limit again adds no event, and a person may continue earlier', () =>
    withLimit([refuseFor(7200), refuseFor(7200)], async rig => {
      await new Promise(resolve => setTimeout(resolve, 7000)) // Longer than WATCHDOG_TIMEOUT_SEC.
      assert.ok(!listEventNames(rig).includes('orchestrator.stuck'))
      const limit = rig.readStatus().usageLimit
      const again = await rig.dispatch(['say', rig.readSession().id, 'Try', 'again.'])
      assert.equal(again.exitCode, 0, again.stderr)
      await rig.waitUntil('it is refused again', () =>
        rig.models.requests.find(({ body }) => body.includes('Try again.')),
      )
      await new Promise(resolve => setTimeout(resolve, 3000))
      assert.deepEqual(rig.readStatus().usageLimit, limit)
      const now = await rig.dispatch(['say', rig.readSession().id, 'And', 'now?'])
      assert.equal(now.exitCode, 0, now.stderr)
      assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
      assert.deepEqual(listLiftSources(rig), ['you'])
      assert.equal(listEventNames(rig).filter(type => type === 'usage-limit.reached').length, 1)
      assert.ok(!listEventNames(rig).includes('human.needed'))
    }))
})
