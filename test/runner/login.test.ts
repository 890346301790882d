import assert from 'node:assert/strict'
import { test } from 'node:test'
import { about } from '../../rehearsal/hello.ts'
import { openRig } from '../rig.ts'

test('F43 a login that is refused while the session runs calls the human with the way, and is exit 7; nothing is tried again', async () => {
  const refused = { refuse: 401, kind: 'authentication_error', why: 'invalid x-api-key' }
  const rig = await openRig({ ...about, title: '', orchestrator: [refused], ends: ['needs you'] })
  try {
    const ran = await rig.dispatch([about.task, '--wait'])
    assert.equal(ran.code, 7, ran.stdout + ran.stderr)
    assert.match(ran.stdout + ran.stderr, /authentication_failed.*Run `claude`, then \/login/)
    const asked = rig.stage.seen.filter(({ role }) => role === 'orchestrator').length
    assert.ok(asked <= 2, `the model was asked ${asked} times`)
    assert.equal((await rig.dispatch(['wait'])).code, 7)
  } finally {
    await rig.close()
  }
})
