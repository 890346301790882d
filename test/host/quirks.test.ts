import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clashes, nested } from '../../host/index.ts'

test('names that clash where case does not count, and submodules, are told', () => {
  const entry = (file: string, mode = '100644') => ({ path: file, mode, blob: '' })
  assert.deepEqual(clashes([entry('a'), entry('b'), entry('dir/a')]), [])
  assert.match(clashes([entry('README'), entry('readme')]).join(), /^README and readme are one file/)
  assert.equal(clashes([entry('caf\u00e9'), entry('cafe\u0301')]).length, 1)
  assert.deepEqual(nested([entry('a'), entry('v', '160000')]), ['1 submodule left empty: v'])
  assert.match(nested(['a', 'b', 'c', 'd'].map(name => entry(name, '160000'))).join(), /4 submodules.*and 1 more/)
})
