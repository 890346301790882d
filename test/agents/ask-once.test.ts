import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askOnce } from '#agents'
import { readDefaultConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('a person who ends a question is not told that it has failed', async t => {
  const config = readDefaultConfig({ DISPATCH_HOME: createScratchFolder(t) })
  const ask = (end: AbortSignal) =>
    askOnce(config, {
      ...{ prompt: 'split', values: {}, text: 'x', model: 'opus', end },
      sandbox: { kind: null, reason: 'x' } as never,
      fillFolder: async () => {
        throw new DispatchError('git was ended', { exitCode: 6 })
      },
    })
  await assert.rejects(ask(AbortSignal.abort()), { exitCode: 130, message: '' })
  await assert.rejects(ask(new AbortController().signal), { exitCode: 6 })
})
