import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { createInterruptError, DispatchError, exitCodes, isErrno, unreachable } from '#host/error.ts'

test('each exit code has one meaning', () => {
  const codes = Object.values(exitCodes)
  assert.equal(new Set(codes).size, codes.length)
})

test('an error has a message, an exit code and a remedy', () => {
  const error = new DispatchError('it failed', { exitCode: exitCodes.usage })
  assert.deepEqual([error.name, error.message, error.exitCode, error.remedy], ['DispatchError', 'it failed', 2, ''])
  assert.deepEqual([createInterruptError().message, createInterruptError().exitCode], ['', 130])
})

test('a system error is recognized by its code, another object is not', () => {
  try {
    fs.readFileSync('/nowhere')
    assert.fail('it was read')
  } catch (error) {
    assert.ok(isErrno(error, 'ENOTDIR', 'ENOENT'))
    assert.ok(!isErrno(error, 'EACCES'))
  }
  assert.ok(!isErrno({ code: 'ENOENT' }, 'ENOENT'))
  assert.ok(!isErrno(new Error('ENOENT'), 'ENOENT'))
})

test('an impossible value is an error that shows it', () => {
  assert.throws(() => unreachable('x' as never), /"x"/)
})
