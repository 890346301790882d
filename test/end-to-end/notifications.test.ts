import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { helloContract, helloScenarioBase, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, say, spawn } from '#rehearsal/scenario.ts'
import { openRig, type Rig, withPhone } from '../fixtures/rig.ts'
import { withEnoughTime } from '../fixtures/scratch.ts'

/** When a person gets a notification: what the runner queues, and the deadline and the budget behind it. */

const hello: Scenario = {
  ...helloScenarioBase,
  title: '',
  orchestrator: [put('contract.md', helloContract), ...remainingTurns],
  endStates: ['PASS'],
}

test('a spent budget stops further workers until it is raised', async () => {
  const scenario: Scenario = {
    ...helloScenarioBase,
    title: '',
    workers: { '*': honestWorkerTurns },
    orchestrator: [
      put('contract.md', helloContract),
      spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
      bash('wait-workers'),
      spawn('code --name again --clauses C1', 'Once more.'),
      spawn('code --name third --clauses C1', 'And again.'),
      bash('ask "May I spend more?"'),
      heard => say(heard.lastText.slice(0, 200)),
      // The runner reads the settings once a second.
      bash("until spawn-worker code --name raised --clauses C1 <<'BRIEF'\nNow.\nBRIEF\ndo sleep 0.2; done"),
      bash('wait-workers'),
      bash('submit'),
      heard => say(heard.lastText.slice(0, 200)),
    ],
    endStates: ['PASS'],
  }
  const rig = await openRig(scenario, withPhone)
  try {
    fs.mkdirSync(path.join(rig.home, 'dispatch'), { recursive: true })
    const file = path.join(rig.home, 'dispatch/.env')
    fs.writeFileSync(file, 'BUDGET_USD=0.0035\n', { mode: 0o600 })
    const asked = await rig.dispatch([helloTask, '--wait'])
    assert.equal(asked.exitCode, 12, asked.stdout + asked.stderr)
    assert.match(asked.stdout, /the budget is spent: \$0\.00/)
    const { workers, budget } = rig.readStatus()
    assert.deepEqual(
      workers.map(({ name }) => name),
      ['hello'],
    )
    assert.equal(budget?.budgetUsd, 0.0035)
    assert.ok(budget.spentUsd > (workers[0]?.costUsd ?? 1), 'the orchestrator counts as well')
    assert.equal(rig.readEvents().filter(event => event.type === 'budget.reached').length, 1)
    // The command ends with the event. Its notification comes a moment later.
    await rig.waitUntil('the question is queued', () => listQueued(rig).includes('question.asked'))
    assert.deepEqual(listQueued(rig), ['orchestrator.started', 'budget.reached', 'question.asked'])

    fs.writeFileSync(file, 'BUDGET_USD=20\n', { mode: 0o600 })
    assert.equal((await rig.dispatch(['say', rig.readSession().id, 'Yes, it is raised.'])).exitCode, 0)
    const ended = await rig.dispatch(['wait'])
    assert.equal(ended.exitCode, 0, ended.stdout + ended.stderr)
    assert.deepEqual(
      rig.readStatus().workers.map(({ name }) => name),
      ['hello', 'raised'],
    )
  } finally {
    await rig.close()
  }
})

test('a missed deadline and a question are sent at once, also in quiet hours', async () => {
  const scenario: Scenario = {
    ...helloScenarioBase,
    title: '',
    orchestrator: [bash('ask "English?"'), bash('ask "Or Portuguese?" 2>&1'), say('I wait.')],
    endStates: ['asking'],
  }
  const rig = await openRig(scenario, withPhone)
  try {
    let deadline = ''
    await withEnoughTime(async limitMs => {
      deadline = new Date(Date.now() + limitMs).toISOString()
      const { exitCode } = await rig.dispatch([helloTask, '--deadline', deadline])
      assert.ok(exitCode === 0 || exitCode === 2, `exit ${exitCode}`)
      return exitCode === 0 // Exit 2: the deadline had passed before the command read it.
    })
    await rig.waitUntil('a question and a missed deadline', () => listQueued(rig).length === 3)
    await rig.waitUntil('the second question is refused', () =>
      rig.readEvents().some(event => event.type === 'request.rejected'),
    )
    assert.deepEqual(listQueued(rig).sort(), ['deadline.passed', 'orchestrator.started', 'question.asked'])
    const refusals = rig.readEvents().flatMap(event => (event.type === 'request.rejected' ? [event.reason] : []))
    assert.match(refusals.join('; '), /^The human already has a question from you\./, 'one question at a time')
    const times = Object.fromEntries(
      listNotifications(rig).map(({ notification, deliverBy, at }) => [notification.title, [deliverBy, at]]),
    )
    const [heldUntil, startedAt = ''] = times['Dispatch started'] ?? []
    assert.equal(heldUntil, startedAt && startedAt > deadline ? null : deadline, 'quiet hours may hold it until then')
    assert.equal(times['Dispatch needs you']?.[0], times['Dispatch needs you']?.[1], 'at once')
    assert.equal(times['Dispatch is late']?.[0], times['Dispatch is late']?.[1], 'at once')
    assert.match((await rig.dispatch(['show'])).stdout, /deadline {3}\d\d:\d\d, has passed/)
  } finally {
    await rig.close()
  }
})

test('the watchdog queues a crashed runner’s notification exactly once', async () => {
  const rig = await openRig(hello, withPhone)
  try {
    assert.equal((await rig.dispatch([helloTask, '--wait'])).exitCode, 0)
    await rig.dispatch(['stop', '--all'])
    const { paths } = rig.readSession()
    const log = fs.readFileSync(paths.events, 'utf8').split('\n').filter(Boolean)
    const before = listNotifications(rig)
    assert.equal(new Set(before.map(({ id }) => id)).size, before.length)
    // The state after a crash: the verdict is recorded and nothing after it, and the terminal is gone.
    const cut = log.findIndex(line => line.includes('"verdict.given"'))
    fs.writeFileSync(paths.events, `${log.slice(0, cut + 1).join('\n')}\n`)
    const isVerdict = ({ notification }: QueuedNotification) => notification.title === 'Dispatch: PASS'
    for (const { file } of before.filter(isVerdict)) fs.rmSync(file)
    for (let pass = 0; pass < 2; pass++) assert.equal((await rig.dispatch(['watchdog'])).exitCode, 0)
    await rig.waitUntil('the verdict is queued', () => listNotifications(rig).some(isVerdict))
    assert.deepEqual(
      listNotifications(rig).map(({ id }) => id),
      before.map(({ id }) => id),
      'each notification is queued once',
    )
    assert.equal(rig.readEvents().at(-1)?.type, 'verdict.given', 'it got no new runner')
  } finally {
    await rig.close()
  }
})

interface QueuedNotification {
  file: string
  id: string
  at: string
  deliverBy: string | null
  notification: { title: string }
}

/** The types of the events for which the runner queued a notification, in order. */
function listQueued(rig: Rig): string[] {
  return rig.readEvents().flatMap(event => (event.type === 'notification.queued' ? [event.eventType] : []))
}

/** Every notification in the phone's outbox: waiting, sent or dead. */
function listNotifications(rig: Rig): QueuedNotification[] {
  const box = path.join(rig.home, 'dispatch/outbox/phone')
  return ['waiting', 'sent', 'dead']
    .map(folder => path.join(box, folder))
    .filter(folder => fs.existsSync(folder))
    .flatMap(folder => fs.readdirSync(folder).map(name => path.join(folder, name)))
    .sort((a, b) => (path.basename(a) < path.basename(b) ? -1 : 1))
    .map(file => ({ ...JSON.parse(fs.readFileSync(file, 'utf8')), file }) as QueuedNotification)
}
