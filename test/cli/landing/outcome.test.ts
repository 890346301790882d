import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideNext, type Next } from '#cli/landing/outcome.ts'
import { toLandingJson } from '#cli/output/landing-view.ts'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { RemoteError } from '#host/git/upstream'
import type { Entry } from '#landing'
import type { LandingStatus } from '#session/landing'
import { SessionBusyError } from '#session/lease'
import { createEntry } from '../../fixtures/landing-entry.ts'

const now = new Date('2026-11-30T12:00:00.000Z')

const decide = (state: LandingStatus['state'], changes: Partial<Entry> = {}, isAttended = false): Next => {
  const landing = { number: 1, branch: 'main', state, reason: 'why', time: now.toISOString() }
  return decideNext(createEntry(changes), { landing }, { isAttended, now })
}

const decideError = (exitCode: ExitCode, changes: Partial<Entry> = {}): Next =>
  decideNext(createEntry(changes), { error: new DispatchError('why', { exitCode }) }, { isAttended: false, now })

const decideRemote = (direction: RemoteError['direction'], changes: Partial<Entry>): Next => {
  const error = new RemoteError('why', { direction, remedy: '' })
  return decideNext(createEntry(changes), { error }, { isAttended: false, now })
}

test('what landed has ended', () => {
  assert.deepEqual(decide('landed'), { kind: 'end', outcome: 'landed', reason: '' })
  assert.equal(decide('landed', {}, true).kind, 'end')
})

test('a conflict, and what is not green, goes back twice, and then to a person', () => {
  for (const state of ['conflict', 'stale', 'red'] as const) {
    assert.deepEqual(decide(state), { kind: 'send back', reason: 'why' })
    assert.deepEqual(decide(state, { retries: 1 }), { kind: 'send back', reason: 'why' })
    const last = decide(state, { retries: 2 })
    const words = state === 'red' ? 'not green' : state
    assert.deepEqual(last, { kind: 'end', outcome: 'needs you', reason: `${words} after 2 new attempts: why` })
    assert.deepEqual(decide(state, { sendsBack: false }), {
      kind: 'end',
      outcome: 'needs you',
      reason: `${words}: why`,
    })
  }
})

test('a person at a shell gets every result', () => {
  for (const state of ['conflict', 'stale', 'red', 'undecided', 'refused'] as const)
    assert.deepEqual(decide(state, {}, true), { kind: 'end', outcome: 'not landed', reason: 'why' })
})

test('a judge without an answer and a host out of reach are tried again, ever more rarely', () => {
  const getMinutes = (next: Next) => (next.kind === 'later' ? (Date.parse(next.notBefore) - now.getTime()) / 60_000 : 0)
  assert.deepEqual(
    [0, 1, 2, 4, 9].map(failures => getMinutes(decideRemote('fetch', { failures }))),
    [1, 2, 4, 16, 30],
  )
  assert.equal(getMinutes(decide('undecided', { undecided: 4, failures: 9 })), 16)
  assert.equal(decide('undecided', { undecided: 5 }).kind, 'end', 'a check that cannot run may never be able to')
  assert.equal(getMinutes(decideError(exitCodes.storage)), 1)
})

test('a branch that is not green itself is waited for, and sends nothing back', () => {
  assert.equal(decide('blocked', { undecided: 4 }).kind, 'later')
  assert.deepEqual(decide('blocked', { undecided: 5 }), { kind: 'end', outcome: 'needs you', reason: 'why' })
})

test('work that the branch has already is not done again', () => {
  assert.deepEqual(decide('present'), { kind: 'end', outcome: 'not landed', reason: 'why' })
})

test('a hook that refuses is asked three more times, and an error of the request needs a person at once', () => {
  assert.equal(decide('refused', { refusals: 2, failures: 9 }).kind, 'later')
  assert.deepEqual(decide('refused', { refusals: 3 }), { kind: 'end', outcome: 'needs you', reason: 'why' })
  assert.deepEqual(decideError(exitCodes.conflict), { kind: 'end', outcome: 'needs you', reason: 'why' })
})

test('a protected branch needs a person at once, who is told the way by a pull request', () => {
  for (const reason of [
    'remote rejected: protected branch hook declined',
    'remote: error: GH006: Protected branch update failed for refs/heads/main.',
    'remote: error: GH013: Repository rule violations found for refs/heads/main.',
  ]) {
    const landing = { state: 'refused', branch: 'main', reason } as unknown as LandingStatus
    assert.equal(decideNext(createEntry({}), { landing }, { isAttended: false, now }).kind, 'end', reason)
    const { next } = toLandingJson({ session: { id: 'say-hello-3f2a' } as never, landing }, false)
    assert.equal(/dispatch land 3f2a --pull-request/.test(next), reason.includes('GH0'), next)
  }
})

test('a push that does not get through is tried three times more, also while the branch can be fetched', () => {
  assert.equal(decideRemote('push', { refusals: 2, failures: 9 }).kind, 'later')
  assert.equal(decideRemote('push', { refusals: 3, failures: 0 }).kind, 'end')
  assert.equal(decideRemote('fetch', { refusals: 3, failures: 99 }).kind, 'later')
})

test('a key that signs nothing, and a git that is too old, need a person at once', () => {
  assert.deepEqual(decideError(exitCodes.dependency), { kind: 'end', outcome: 'needs you', reason: 'why' })
})

test('a session at which another command is for now is landed later', () => {
  const error = new SessionBusyError({ id: createEntry().session }, 7)
  assert.equal(error.exitCode, exitCodes.conflict)
  assert.equal(decideNext(createEntry(), { error }, { isAttended: false, now }).kind, 'later')
  assert.equal(decideNext(createEntry(), { error }, { isAttended: true, now }).kind, 'end', 'its person sees why')
})

test('the JSON of each landing has the exit code of the command', () => {
  const session = { id: 'say-hello-3f2a' } as never
  const codeOf = (state: LandingStatus['state'], isDryRun = false) =>
    toLandingJson({ session, landing: { state, branch: 'main', reason: '' } as unknown as LandingStatus }, isDryRun)
      .exitCode
  assert.deepEqual(
    (['landed', 'red', 'blocked', 'unproved', 'conflict', 'refused', 'undecided', 'merged', 'ready'] as const).map(
      state => codeOf(state),
    ),
    [0, 3, 3, 3, 5, 5, 12, 12, 5],
  )
  assert.equal(codeOf('ready', true), 0)
  const error = new DispatchError('gone', { exitCode: exitCodes.notFound })
  assert.equal(toLandingJson({ session, error }, false).exitCode, 4)
})
