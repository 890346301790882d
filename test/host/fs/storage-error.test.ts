import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toStorageError } from '#host/fs'
import { isStorageError } from '../../fixtures/storage-error.ts'

test('an error that a person can fix is exit 10; any other stays as it is', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ENOTDIR', 'EEXIST']) {
    const storageError = toStorageError('/a/b', Object.assign(new Error('x'), { code }))
    assert.ok(isStorageError(new RegExp(`^/a/b: \\p{L}+ \\p{L}+.* \\(${code}\\)$`, 'u'))(storageError), code)
  }
  for (const error of [new Error('x'), Object.assign(new Error('x'), { code: 'EINVAL' }), 'x', undefined, null])
    assert.equal(toStorageError('/a/b', error), error)
})

test('an error that nothing expected is exit 10 where the machine is at fault', () => {
  const fault = Object.assign(new Error('x'), { code: 'EMFILE', path: '/a/b' })
  assert.ok(
    isStorageError(/^\/a\/b: too many files are open in this process \(EMFILE\)$/)(toStorageError(undefined, fault)),
  )
  for (const code of ['EEXIST', 'ENOTDIR', 'EACCES', 'EINVAL']) {
    const bug = Object.assign(new Error('x'), { code, path: '/a/b' })
    assert.equal(toStorageError(undefined, bug), bug)
  }
})
