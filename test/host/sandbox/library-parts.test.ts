import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whichSync as whichOfLibrary } from '@anthropic-ai/sandbox-runtime/dist/utils/which.js'
import { whichSync } from '#host/sandbox/library-parts/which.ts'

test('a program is found where the library finds it, and is not where it is not', () => {
  for (const name of ['/bin/sh', 'sh', 'env', '/nowhere/sh', '/etc/passwd', '/etc', 'no-such-program-here'])
    assert.equal(whichSync(name), whichOfLibrary(name), name)
})
