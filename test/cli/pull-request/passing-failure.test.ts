import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOfThisMachine, isTemporary } from '#cli/pull-request/passing-failure.ts'
import { ForgeError } from '#forge'
import { DispatchError, exitCodes } from '#host/error.ts'
import { RemoteError } from '#host/git/upstream'
import { SessionBusyError } from '#session/lease'

test('what cannot be reached for now passes by itself; a key that cannot sign needs its person at once', () => {
  const away = { exitCode: exitCodes.dependency, remedy: '' }
  const judge = (error: DispatchError) => [isTemporary(error), isOfThisMachine(error)]
  assert.deepEqual(judge(new ForgeError('github.com cannot be reached', away)), [true, false])
  assert.deepEqual(judge(new RemoteError('origin cannot be used', { direction: 'fetch', remedy: '' })), [true, false])
  assert.deepEqual(judge(new DispatchError('no room', { exitCode: exitCodes.storage, remedy: '' })), [true, false])
  assert.deepEqual(judge(new SessionBusyError({ id: 'say-abcd' }, 7)), [true, false])
  assert.deepEqual(judge(new DispatchError('git cannot sign the commit', away)), [false, true])
  assert.deepEqual(judge(new DispatchError('it was closed', { exitCode: exitCodes.conflict, remedy: '' })), [
    false,
    false,
  ])
})
