import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helloContract, helloTask, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, say } from '#rehearsal/scenario.ts'
import { findProcesses, helloScenario, withRig } from '../fixtures/rig.ts'

test('a session that waits for an answer is put to sleep, and the answer wakes it with its whole conversation', () =>
  withRig(
    {
      ...helloScenario,
      orchestrator: [
        bash('ask "English or Portuguese?"'),
        say('I wait.'),
        heard => (heard.lastText.includes('English, please') ? put('contract.md', helloContract) : say('?')),
        ...remainingTurns,
      ],
    },
    async rig => {
      const asked = await rig.dispatch([helloTask, '--wait'])
      assert.equal(asked.exitCode, 12, asked.stdout + asked.stderr)
      const { id } = rig.readSession()
      await rig.waitUntil('it sleeps', () => rig.readEvents().some(event => event.type === 'session.slept'))
      await rig.waitUntil('its processes have ended', () => findProcesses(`DISPATCH_SESSION=${id}`).length === 0)
      assert.match((await rig.dispatch(['ls'])).stdout, /^asking .* asleep /)
      assert.match((await rig.dispatch(['show'])).stdout, /answer +dispatch say .* wakes it/)
      assert.match((await rig.dispatch(['attach'])).stderr, /dispatch say/)

      const audited = await rig.dispatch(['audit', id])
      assert.equal(audited.exitCode, 0, audited.stdout)
      const said = await rig.dispatch(['say', id, 'English, please'])
      assert.equal(said.exitCode, 0, said.stderr)
      const waited = await rig.dispatch(['wait'])
      assert.equal(waited.exitCode, 0, waited.stdout + JSON.stringify(rig.readEvents().slice(-8)))
      const types = rig.readEvents().map(event => event.type)
      assert.ok(types.indexOf('orchestrator.resumed') > types.indexOf('session.slept'))
      assert.equal(types.filter(type => type === 'orchestrator.started').length, 1)
    },
    { SLEEP_AFTER_SEC: '1' },
  ))
