/** The vendor's usage limit, with the real claude and a scripted 429 as the vendor sends it to an account. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contract, honest, task, therest } from '../../rehearsal/hello.ts'
import { type Act, put, type Turn } from '../../rehearsal/scenario.ts'
import { openRig, type Rig } from '../rig.ts'

/** What the vendor answers beyond the limit; `seconds` from now it ends. */
const beyond = (seconds: number): Act => ({
  refuse: 429,
  kind: 'rate_limit_error',
  why: 'Error',
  headers: {
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': String(Math.floor(Date.now() / 1000) + seconds),
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    'x-should-retry': 'false',
  },
})

const account = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-0123456789abcdefghijABCDEFGHIJ' }

async function withLimit(refusals: Act[], body: (rig: Rig) => Promise<void>): Promise<void> {
  const first: Turn = () => refusals.shift() ?? put('contract.md', contract)
  const scenario = { title: '', task, workers: { '*': honest }, orchestrator: [first, ...therest], ends: [] }
  const rig = await openRig(scenario, { ...account, WATCHDOG_TIMEOUT_SEC: '5' })
  try {
    const ran = await rig.dispatch([task])
    assert.equal(ran.code, 0, ran.stderr)
    await rig.until('it is parked', () => rig.status().limit, 60)
    await body(rig)
  } finally {
    await rig.close()
  }
}

const told = (rig: Rig) => rig.events().map(({ is }) => is)
const lifted = (rig: Rig) => rig.events().flatMap(event => (event.is === 'limit.lifted' ? [event.by] : []))

describe('F45: a usage limit parks the orchestrator, and calls nobody', { concurrency: 2 }, () => {
  it('it goes on by itself when the limit is over, up to its verdict', () =>
    withLimit([beyond(1)], async rig => {
      const until = Date.parse(rig.status().limit?.until ?? '')
      assert.ok(Math.abs(until - Date.now()) < 5 * 60_000, `until ${rig.status().limit?.until}`)
      await rig.until('it has gone on', () => lifted(rig).length > 0, 100)
      assert.deepEqual(lifted(rig), ['the clock'])
      assert.equal((await rig.dispatch(['wait'])).code, 0)
      assert.equal(rig.status().phase, 'PASS')
      const prompts = rig.stage.seen.filter(({ body }) => body.includes('The usage limit is over. Go on where'))
      assert.ok(prompts.length > 0, 'the orchestrator was not told')
      assert.equal(told(rig).filter(is => is === 'limit.reached').length, 1)
      assert.ok(!told(rig).includes('orchestrator.gave-up'))
    }))

  it('while it lasts nothing is stuck; the same limit again is no news; a person may go on before its end', () =>
    withLimit([beyond(7200), beyond(7200)], async rig => {
      await new Promise(resolve => setTimeout(resolve, 7000)) // Longer than nothing may happen anywhere else.
      assert.ok(!told(rig).includes('orchestrator.stuck'))
      const limit = rig.status().limit
      const again = await rig.dispatch(['say', rig.session().id, 'Try', 'again.'])
      assert.equal(again.code, 0, again.stderr)
      await rig.until(
        'it is refused again',
        () => rig.stage.seen.filter(seen => seen.body.includes('Try again.'))[0],
        20,
      )
      await new Promise(resolve => setTimeout(resolve, 3000))
      assert.deepEqual(rig.status().limit, limit)
      const now = await rig.dispatch(['say', rig.session().id, 'And', 'now?'])
      assert.equal(now.code, 0, now.stderr)
      assert.equal((await rig.dispatch(['wait'])).code, 0)
      assert.deepEqual(lifted(rig), ['you'])
      assert.equal(told(rig).filter(is => is === 'limit.reached').length, 1)
      assert.ok(!told(rig).includes('orchestrator.gave-up'))
    }))
})
