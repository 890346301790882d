import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeAge, listOldRunners } from '#cli/output/code-warning.ts'
import type { SessionView } from '#session/status'

const createView = (runnerVersion: string, runnerLiveness = 'alive') =>
  ({ status: { runnerVersion }, runnerLiveness }) as unknown as SessionView

test('sessions with other code than is installed are told as older, or as newer after a rollback', () => {
  const [older, same, newer, dead] = [
    createView('0.1.0+aaaaaaaaaaaa'),
    createView('0.2.0+bbbbbbbbbbbb'),
    createView('0.3.0+cccccccccccc'),
    createView('0.1.0+aaaaaaaaaaaa', 'dead'),
  ] as const
  const installed = '0.2.0+bbbbbbbbbbbb'
  assert.deepEqual(listOldRunners([older, same, newer, dead], installed), [older, newer])
  assert.deepEqual(
    [[older], [newer], [older, newer]].map(views => describeAge(views, installed)),
    ['older', 'newer', 'other'],
  )
})
