import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { closeExpired } from '#cli/close-expired.ts'
import { DAY_MS } from '#host/time.ts'
import type { Session } from '#session'
import { readLog } from '#session/log'
import type { SessionView } from '#session/status'
import { addEndedSession, createFilledHome } from '../fixtures/backup-home.ts'

test('a session that cannot be closed keeps no other one from it', async t => {
  const { config } = createFilledHome(t, 0)
  const [bad, good] = [addEndedSession(config, 'aaaa'), addEndedSession(config, 'bbbb')]
  // Its log cannot be read; that of the other one ends before the line that closed it.
  fs.rmSync(bad.paths.events)
  fs.mkdirSync(bad.paths.events)
  const [opened = ''] = fs.readFileSync(good.paths.events, 'utf8').split('\n').filter(Boolean)
  fs.writeFileSync(good.paths.events, `\n${opened}\n`)
  const { closed, failures } = await closeExpired([bad, good].map(createView), config)
  assert.deepEqual([closed, failures.map(({ id }) => id)], [[good.id], [bad.id]])
  assert.equal(readLog(good.paths.events).events.at(-1)?.type, 'session.closed')
})

function createView(session: Session): SessionView {
  const lastEventAt = new Date(Date.now() - DAY_MS).toISOString()
  const status = { verdict: { isFinal: true, verdict: 'PASS' }, phase: 'PASS', closed: undefined, lastEventAt }
  return { session, status, runnerLiveness: 'dead' } as unknown as SessionView
}
