/** A judge that gives no answer, in whole sessions: the vendor's server is scripted, everything else is real. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, type JudgeRequest, put, type Scenario, say, spawn, type VendorAnswer } from '#rehearsal/scenario.ts'
import { verdictHeading } from '#runner/messages/type-into-terminal.ts'
import type { Event } from '#session/log'
import { helloScenario, type Rig, waitForGoOn, withPhone, withRig } from '../fixtures/rig.ts'
import { waitUntil } from '../fixtures/scratch.ts'

const overloaded: VendorAnswer = refuse(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.')

function refuse(code: number, status: string, message: string, details: object[] = []): VendorAnswer {
  return { status: code, body: { error: { code, status, message, details } } }
}

interface Vendor {
  /** What it answers about a packet; undefined: a good reply. */
  answer: VendorAnswer | undefined
  /** How many packets it was asked about. */
  packets: number
}

/** A scenario with a vendor whose answers the test changes while the session runs. */
function playVendor(vendor: Vendor, scenario: Scenario = helloScenario): Scenario {
  return {
    ...scenario,
    vendor: ({ isGreeting }: JudgeRequest) => {
      if (isGreeting) return undefined
      vendor.packets++
      return vendor.answer
    },
  }
}

const listEvents = <Type extends Event['type']>(rig: Rig, type: Type) =>
  rig.readEvents().filter((event): event is Event & Event<Type> => event.type === type)

const waitUntilParked = (rig: Rig) =>
  rig.waitUntil('the session waits for the judge', () => rig.readStatus().judgeWait ?? undefined)

describe('a judge that gives no answer', { concurrency: 2 }, () => {
  it('parks the session, which says so everywhere, and passes by itself once the judge answers', test => {
    const vendor: Vendor = { answer: overloaded, packets: 0 }
    return withRig(
      playVendor(vendor),
      async rig => {
        await rig.dispatch([helloTask])
        await waitUntilParked(rig)
        const { id } = rig.readSession()

        await test.test('ls, show, the page’s data and the notification name the judge and the time', async () => {
          assert.match((await rig.dispatch(['ls'])).stdout, /parked .*waiting for the judge, asked again at \d\d:\d\d/)
          const shown = (await rig.dispatch(['show'])).stdout
          assert.match(shown, /parked +waiting for the judge: .*HTTP 503.*; it is (being )?asked again/)
          assert.match(shown, new RegExp(`dispatch judge ${id.slice(-4)}`))
          const [listed] = JSON.parse((await rig.dispatch(['ls', '--json'])).stdout)
          assert.deepEqual([listed.state, listed.judgeWait.round], ['parked', 1])
        })

        await test.test('it is told once, and asked again after growing pauses', async () => {
          await rig.waitUntil('it was asked three times', () => listEvents(rig, 'judging.parked').length >= 3)
          const told = listEvents(rig, 'notification.queued').filter(event => event.eventType === 'judging.parked')
          assert.equal(told.length, 1)
          const pauses = listEvents(rig, 'judging.parked').map(event =>
            Math.round((Date.parse(event.nextAt) - Date.parse(event.time)) / 1000),
          )
          assert.deepEqual(pauses.slice(0, 3), [1, 2, 5])
        })

        vendor.answer = undefined
        assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
        assert.equal(rig.readStatus().verdict?.verdict, 'PASS')
        assert.equal(rig.readStatus().judgeWait, null)
        assert.equal(listEvents(rig, 'check.ran').filter(({ side }) => side === 'head').length, 1, 'no check ran again')
        assert.equal(listEvents(rig, 'human.needed').length, 0)
        await rig.waitUntil('the orchestrator got the verdict as its reply', () =>
          rig.models.requests.some(({ role, body }) => role === 'orchestrator' && body.includes('PASS: 2 of 2')),
        )
        const audited = await rig.dispatch(['audit', id])
        assert.equal(audited.exitCode, 0, audited.stdout)
      },
      { ...withPhone, JUDGE_TIMEOUT_SEC: '1' },
    )
  })

  it('a killed runner leaves the round to its successor, whose FAIL the waiting orchestrator gets and fixes', () => {
    const vendor: Vendor = { answer: overloaded, packets: 0 }
    const fix = spawn('code --name fix --clauses C1', 'Fix hello.sh.')
    const scenario: Scenario = {
      ...helloScenario,
      judge: [{ C1: { met: 'no', reason: 'it greets no one by name' } }],
      workers: { fix: [put('hello.sh', 'echo hello # as asked'), say('Fixed.')], '*': honestWorkerTurns },
      orchestrator: [
        put('contract.md', helloContract),
        ...remainingTurns.slice(0, 3),
        ({ lastText }) => (lastText.includes('FAIL') ? fix : say('It did not fail.')),
        ...remainingTurns.slice(1),
      ],
    }
    return withRig(
      playVendor(vendor, scenario),
      async rig => {
        await rig.dispatch([helloTask])
        await waitUntilParked(rig)
        const [started] = listEvents(rig, 'runner.started')
        process.kill(started?.pid ?? 0, 'SIGKILL')
        vendor.answer = undefined
        const ran = await rig.dispatch(['wait'])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.equal(listEvents(rig, 'runner.started').length, 2)
        assert.deepEqual(
          listEvents(rig, 'verdict.given').map(({ round, verdict }) => [round, verdict]),
          [
            [1, 'FAIL'],
            [2, 'PASS'],
          ],
        )
        const heads = listEvents(rig, 'check.ran').filter(({ side }) => side === 'head')
        assert.deepEqual(
          heads.map(({ round }) => round),
          [1, 2],
          'no check ran again',
        )
        const audited = await rig.dispatch(['audit', rig.readSession().id])
        assert.equal(audited.exitCode, 0, audited.stdout)
      },
      { JUDGE_TIMEOUT_SEC: '1' },
    )
  })

  it('a message of the human interrupts the wait, and `dispatch judge` ends it at once', test => {
    const quota = refuse(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.', [
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '3600s' },
    ])
    const vendor: Vendor = { answer: quota, packets: 0 }
    const orchestrator = [
      put('contract.md', helloContract),
      ...remainingTurns.slice(0, 3),
      bash('submit'),
      ...remainingTurns.slice(3),
    ]
    return withRig(
      playVendor(vendor, { ...helloScenario, orchestrator }),
      async rig => {
        await rig.dispatch([helloTask])
        const { nextAt } = await waitUntilParked(rig)
        const { id, paths } = rig.readSession()
        assert.ok(Date.parse(nextAt) - Date.now() > 3_000_000, 'the vendor asked for an hour')
        const listSubmits = () => fs.readdirSync(paths.requests).filter(name => /^\d.*-submit$/.test(name))
        const [first] = await rig.waitUntil('its submit waits', () => listSubmits().length === 1 && listSubmits())

        await test.test('say reports what the session waits for, and the orchestrator waits again', async () => {
          const said = await rig.dispatch(['say', id, 'How is it going?'])
          assert.equal(said.exitCode, 0, said.stderr)
          assert.match(
            said.stdout,
            /The session is waiting for the judge: the quota of .*; it is asked again at \d\d:\d\d/,
          )
          await rig.waitUntil(
            'another submit waits',
            () => listSubmits().length === 1 && !listSubmits().includes(`${first}`),
          )
        })

        vendor.answer = undefined
        const judged = await rig.dispatch(['judge', id])
        assert.equal(judged.exitCode, 0, judged.stdout + judged.stderr)
        await rig.waitUntil('the second submit got the verdict', () =>
          rig.models.requests.some(({ role, body }) => role === 'orchestrator' && body.includes('PASS: 2 of 2')),
        )
        assert.equal(vendor.packets, 2)
        assert.equal(listEvents(rig, 'verdict.given').length, 1)
      },
      { RIG_CLAUDE: 'real' },
    )
  })

  it('a session that was stopped meanwhile is judged by `dispatch judge`, once', test => {
    const vendor: Vendor = { answer: overloaded, packets: 0 }
    return withRig(
      playVendor(vendor),
      async rig => {
        await rig.dispatch([helloTask])
        await waitUntilParked(rig)
        const { id, paths } = rig.readSession()
        const stopped = await rig.dispatch(['stop', id])
        assert.match(stopped.stdout, /stopped .*, which was waiting for the judge: .*503[\s\S]*dispatch judge/)

        await test.test('without an answer the verdict is INCONCLUSIVE, and it may be asked again', async () => {
          const ran = await rig.dispatch(['judge', id], { env: { JUDGE_TIMEOUT_SEC: '1' } })
          assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
          assert.match(ran.stdout, /INCONCLUSIVE +no judge: .*503/)
        })

        vendor.answer = { modelVersion: 'gemini-5-xenon' }
        const ran = await rig.dispatch(['judge', id], { env: { JUDGE_TIMEOUT_SEC: '60' } })
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.match((await rig.dispatch(['ls'])).stdout, /PASS/)
        assert.equal(listEvents(rig, 'judging.requested').length, 2)
        assert.ok(listEvents(rig, 'judging.requested').every(({ actor }) => actor.length > 0))
        const record = JSON.parse(fs.readFileSync(paths.verdictRecord, 'utf8'))
        assert.equal(record.judge, 'gemini-5-xenon')
        assert.match(fs.readFileSync(paths.verdictText, 'utf8'), /judge: gemini-5-xenon \(not the model asked for/)
        for (const command of ['show', 'matrix'])
          assert.match(
            (await rig.dispatch([command, id])).stdout,
            /gemini-5-xenon .?\(not the model asked for/,
            command,
          )
        const audited = await rig.dispatch(['audit', id])
        assert.equal(audited.exitCode, 0, audited.stdout)

        await test.test('after a PASS the judge is not asked again', async () => {
          const { packets } = vendor
          const again = await rig.dispatch(['judge', id])
          assert.equal(again.exitCode, 5)
          assert.match(again.stderr, /the judge has answered, and the verdict is PASS/)
          assert.equal(vendor.packets, packets)
        })
      },
      { JUDGE_TIMEOUT_SEC: '1' },
    )
  })

  it('a dead model is told at the start, and every verdict stays INCONCLUSIVE', test => {
    const gone = refuse(404, 'NOT_FOUND', 'This model is no longer available to new users.')
    return withRig(
      { ...helloScenario, workers: { '*': [waitForGoOn, ...honestWorkerTurns] }, vendor: () => gone },
      async rig => {
        assert.equal((await rig.dispatch([helloTask])).exitCode, 0)
        const [checked] = await rig.waitUntil('the judge was greeted', () => {
          const events = listEvents(rig, 'judge.checked')
          return events.length > 0 && events
        })

        await test.test('an event, one notification, ls and show say so while the work goes on', async () => {
          assert.match(checked?.problem ?? '', /model a-1 \(JUDGE_MODEL\) does not exist for this key.*model b-2/)
          assert.match((await rig.dispatch(['ls'])).stdout, /the judge cannot judge/)
          const shown = (await rig.dispatch(['show'])).stdout
          assert.match(shown, /judge +cannot judge, so no verdict can be PASS: the model a-1/)
          const told = listEvents(rig, 'notification.queued').filter(event => event.eventType === 'judge.checked')
          assert.equal(told.length, 1)
        })

        const { outputs } = rig.readSession().paths
        await rig.waitUntil('the worker works', () => fs.existsSync(path.join(outputs, 'waiting')))
        fs.writeFileSync(path.join(outputs, 'go-on'), '')
        const ran = await rig.dispatch(['wait'])
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /INCONCLUSIVE +no judge: the model a-1 .*404.*; the model b-2 .*404/)
        assert.equal(listEvents(rig, 'judge.checked').length, 1)

        await test.test('a question that was changed since is not asked: exit 13', async () => {
          const { id, paths } = rig.readSession()
          fs.appendFileSync(paths.judgeQuestion(1), ' ')
          for (const _ of ['first', 'again']) {
            const ran = await rig.dispatch(['judge', id])
            assert.equal(ran.exitCode, 13, ran.stdout + ran.stderr)
          }
          assert.match(listEvents(rig, 'human.needed')[0]?.reason ?? '', /question-1.json was changed/)
        })
      },
      { ...withPhone, JUDGE_MODEL: 'a-1,b-2' },
    )
  })

  it('a FAIL is the last word: `dispatch judge` sends nothing', () => {
    const vendor: Vendor = { answer: undefined, packets: 0 }
    const scenario = { ...helloScenario, judge: [{ C1: { met: 'no' as const, reason: 'it does not' } }] }
    return withRig(
      playVendor(vendor, scenario),
      async rig => {
        assert.equal((await rig.dispatch([helloTask, '--wait'])).exitCode, 3)
        const { id } = rig.readSession()
        for (const isClosed of [false, true]) {
          if (isClosed) await rig.dispatch(['stop', id])
          const ran = await rig.dispatch(['judge', id])
          assert.equal(ran.exitCode, 5, ran.stdout + ran.stderr)
          assert.match(ran.stderr, /the judge has answered, and the verdict is FAIL/)
        }
        assert.equal(vendor.packets, 1)
        assert.equal(listEvents(rig, 'judging.requested').length, 0)
      },
      { ROUNDS: '1' },
    )
  })

  it('an answer that leaves doubt is not asked for again about the same tree', () => {
    const vendor: Vendor = { answer: undefined, packets: 0 }
    const orchestrator = [
      put('contract.md', helloContract),
      spawn('code --name hello --clauses C1', 'Write hello.sh.'),
      bash('wait-workers'),
      bash('submit'),
      bash('submit'),
      say('That is all.'),
    ]
    const doubt = { C1: { met: 'unproven' as const, reason: 'it says too little' } }
    const scenario = { ...helloScenario, orchestrator, judge: [doubt] } // Asked again, it would say yes.
    return withRig(playVendor(vendor, scenario), async rig => {
      assert.equal((await rig.dispatch([helloTask, '--wait'])).exitCode, 12)
      await rig.waitUntil('submit was run twice', () =>
        rig.models.requests.some(
          ({ role, body }) => role === 'orchestrator' && body.includes('This tree already has a verdict: INCONCLUSIVE'),
        ),
      )
      assert.equal(vendor.packets, 1)
      assert.equal(rig.readStatus().verdict?.verdict, 'INCONCLUSIVE')
    })
  })

  it('with a key that came later the open session passes, and its orchestrator is told', () =>
    withRig(
      helloScenario,
      async rig => {
        const ran = await rig.dispatch([helloTask, '--wait'])
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /dispatch judge \S+ asks the judge again/)
        assert.match(listEvents(rig, 'judge.checked')[0]?.problem ?? '', /GEMINI_API_KEY is not set/)
        const { id } = rig.readSession()
        await rig.waitUntil('its turn has ended', () => listEvents(rig, 'turn.ended').some(event => !event.isBlocked))
        fs.writeFileSync(path.join(rig.home, 'dispatch/.env'), 'GEMINI_API_KEY=a-key-of-this-test\n', { mode: 0o600 })
        // A runner looks at .env once a second, and without a key there is no answer, so the judge may be asked again.
        await waitUntil(async () => (await rig.dispatch(['judge', id])).exitCode === 0, 'it passes with the new key')
        await rig.waitUntil('the orchestrator reads it', () =>
          rig.models.requests.some(({ role, body }) => role === 'orchestrator' && body.includes(verdictHeading)),
        )
        assert.equal(rig.readStatus().phase, 'PASS')
        assert.equal(listEvents(rig, 'question.answered').length, 0, 'a message of dispatch is no answer of a human')
      },
      { GEMINI_API_KEY: '' },
    ))
})
