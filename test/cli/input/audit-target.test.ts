import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLogHead } from '#cli/input/audit-target.ts'
import { exitCodes } from '#host/error.ts'

const anchor = '0123456789abcdef'

test('a log head is 16 to 64 digits, with or without the words before it', () => {
  for (const text of [anchor, ` log anchor ${anchor} `, `proof ${anchor.toUpperCase()}…`, `anchor ${anchor}`])
    assert.equal(parseLogHead(text), anchor)
  assert.equal(parseLogHead(anchor.repeat(4)), anchor.repeat(4))
})

test('anything else is exit 2', () => {
  for (const text of ['', anchor.slice(1), anchor.repeat(5), `${anchor} x`, 'g'.repeat(16)])
    assert.throws(() => parseLogHead(text), { exitCode: exitCodes.usage })
})
