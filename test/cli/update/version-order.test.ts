import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareVersions, findNewestRelease, isVersion } from '#cli/update/version-order.ts'

test('versions are in the order of Semantic Versioning', () => {
  const inOrder = [
    'x',
    '0.9.9',
    '0.10.0-alpha',
    '0.10.0-alpha.1',
    '0.10.0-alpha.beta',
    '0.10.0-beta.2',
    '0.10.0-beta.11',
  ]
  const all = [...inOrder, 'v0.10.0', '1.0.0-rc.1', '1.0.0', '1.0.1', '2.0.0']
  assert.deepEqual(all.toReversed().toSorted(compareVersions), all)
  assert.equal(compareVersions('v1.2.3', '1.2.3+build'), 0)
  assert.deepEqual(['1.2.3', '1.2.3-rc.1', 'v1.2.3', '1.2', '01'].map(isVersion), [true, true, false, false, false])
})

test('the newest release is the highest tag that is newer than what is installed', () => {
  const tags = ['v0.9.0', 'v0.10.0', 'v0.11.0-rc.1', 'nightly', 'v1', '9.9.9']
  assert.equal(findNewestRelease(tags, '0.9.0'), 'v0.10.0')
  assert.equal(findNewestRelease(tags, '0.10.0-rc.1'), 'v0.10.0')
  assert.equal(findNewestRelease(tags, '0.10.0'), undefined)
  assert.equal(findNewestRelease([], '0.1.0'), undefined)
})
