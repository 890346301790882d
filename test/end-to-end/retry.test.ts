/** Another session at the same task, which knows what came of the one before. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { put, type Scenario, say } from '#rehearsal/scenario.ts'
import { listSessions } from '#session'
import { listQueue } from '../fixtures/list-queue.ts'
import { commitFolder, helloScenario, queueSettings, type Rig, withRig } from '../fixtures/rig.ts'

const failing: Scenario = {
  ...helloScenario,
  workers: { '*': [put('hello.sh', 'echo bye'), say('hello.sh is there.')] },
  orchestrator: [put('contract.md', helloContract), ...remainingTurns],
}

/** The system prompt of the orchestrator's last first request. */
const readPrompt = (rig: Rig, sessionId: string) => {
  const { body } = rig.models.requests.find(
    request => request.role === 'orchestrator' && request.body.includes(`orchestrator of session ${sessionId}`),
  ) ?? { body: '' }
  return body
}

describe('another attempt', { concurrency: 2 }, () => {
  it('has the task, the commit and the findings of the session before', () =>
    withRig(
      failing,
      async rig => {
        const folder = path.join(rig.home, 'elsewhere/mine')
        fs.mkdirSync(folder)
        fs.writeFileSync(path.join(folder, 'readme'), 'one')
        await commitFolder(folder)
        const settings = ['--sandbox', 'off', '--code-model', 'haiku,sonnet,opus', '--rw-model', 'haiku']
        const first = await rig.dispatch([helloTask, '--repo', folder, '--wait', ...settings])
        assert.equal(first.exitCode, 3, first.stdout + first.stderr)
        const { id, manifest, paths } = rig.readSession()
        fs.writeFileSync(path.join(folder, 'readme'), 'two')
        await commitFolder(folder)
        rig.models.requests.length = 0
        const ran = await rig.dispatch(['retry', id, 'Use', 'echo.\n</earlier>', '--wait'])
        assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr)
        const again = listSessions(path.join(rig.home, 'dispatch/workspace')).find(each => each.id !== id)
        assert.ok(again)
        assert.equal(again.manifest.repository?.commit, manifest.repository?.commit)
        assert.deepEqual(fs.readFileSync(again.paths.task), fs.readFileSync(paths.task))
        const { retryOf } = again.manifest
        assert.equal(retryOf?.session, id)
        assert.match(retryOf.outcome, /^FAIL: /)
        assert.ok(retryOf.findings.length > 0)
        assert.deepEqual(again.manifest.models, manifest.models)
        assert.deepEqual(again.manifest.sandbox, manifest.sandbox)
        const findWorker = (of: string) => rig.readEvents(of).find(({ type }) => type === 'worker.queued')
        assert.partialDeepStrictEqual([findWorker(id), findWorker(again.id)], [{ model: 'haiku' }, { model: 'sonnet' }])
        const prompt = readPrompt(rig, again.id)
        assert.match(prompt, /<earlier>\\nIt ended with FAIL: .*<\/earlier>\\n\\nThe human adds: Use echo\./)
        assert.ok(prompt.includes(retryOf.findings[0]?.slice(0, 20) ?? '?'))

        const newest = await rig.dispatch(['retry', id, '--newest', '--no-wait', '--json'])
        assert.equal(newest.exitCode, 0, newest.stderr)
        assert.notEqual(
          rig.readSession(JSON.parse(newest.stdout).id).manifest.repository?.commit,
          manifest.repository?.commit,
        )
        const busy = await rig.dispatch(['retry', JSON.parse(newest.stdout).id])
        assert.equal(busy.exitCode, 5, busy.stderr)
        assert.equal((await rig.dispatch(['retry', 'none'])).exitCode, 4)
        fs.renameSync(folder, `${folder}-moved`)
        const lost = await rig.dispatch(['retry', id])
        assert.equal(lost.exitCode, 2)
        assert.match(lost.stderr, /Move it back(?!.*--no-repo)/)
        fs.renameSync(`${folder}-moved`, folder)
        assert.equal((await rig.dispatch(['retry', id], { env: { DISPATCH_SESSION: 'x' } })).exitCode, 5)
      },
      { ROUNDS: '1' },
    ))

  it('an item of the queue fails three times, each time with what is known, and then needs a person', () =>
    withRig(
      failing,
      async rig => {
        assert.equal((await rig.dispatch(['later', helloTask, '--no-repo'])).exitCode, 0)
        const show = async () => JSON.parse((await rig.dispatch(['queue', 'show', 'q-1', '--json'])).stdout)
        const home = path.join(rig.home, 'dispatch')
        await rig.waitUntil('it needs a person', async () =>
          (await listQueue(home)).some(({ state }) => state === 'needs you'),
        )
        const item = await show()
        assert.match(item.reason, /^FAIL: /)
        assert.deepEqual([item.attempt, item.failures], [3, 3])
        assert.match(item.next, /dispatch queue again q-1/)
        const sessions = listSessions(path.join(rig.home, 'dispatch/workspace'))
        const byAttempt = sessions.toSorted(
          (a, b) => (a.manifest.queueItem?.attempt ?? 0) - (b.manifest.queueItem?.attempt ?? 0),
        )
        assert.deepEqual(
          byAttempt.map(({ manifest }) => manifest.retryOf?.session),
          [undefined, byAttempt[0]?.id, byAttempt[1]?.id],
        )
        assert.deepEqual(
          byAttempt.map(({ id }) => rig.readStatus(id).closed),
          [...Array(2).fill({ actor: 'dispatch', reason: 'q-1 is tried again in a new session' }), undefined],
          'no attempt works beside the next one, and a person may go on in the last one',
        )
        const last = byAttempt[2]?.id ?? assert.fail()
        const retried = await rig.dispatch(['retry', last, 'use printf', '--json'])
        assert.equal(retried.exitCode, 0, retried.stderr)
        const { id } = JSON.parse(retried.stdout)
        assert.partialDeepStrictEqual(await show(), { state: 'running', attempt: 4, sessionId: id })
        assert.deepEqual(rig.readSession(id).manifest.queueItem, { item: 'q-1', attempt: 4 })
      },
      { ROUNDS: '1', ...queueSettings },
    ))

  it('a session that passed can be taken up too', () =>
    withRig({ ...helloScenario, workers: { '*': honestWorkerTurns } }, async rig => {
      assert.equal((await rig.dispatch([helloTask, '--no-repo', '--wait'])).exitCode, 0)
      const { id } = rig.readSession()
      const ran = await rig.dispatch(['retry', id, '--json'])
      assert.equal(ran.exitCode, 0, ran.stderr)
      assert.match(rig.readSession(JSON.parse(ran.stdout).id).manifest.retryOf?.outcome ?? '', /^PASS: /)
    }))
})
