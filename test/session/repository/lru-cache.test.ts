import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCache } from '#session/repository/lru-cache.ts'

test('what was not used for the longest time is dropped first, by weight', () => {
  const cache = createCache<string>(10)
  cache.set('a', 'A', 4)
  cache.set('b', 'B', 4)
  assert.equal(cache.get('a'), 'A')
  cache.set('c', 'C', 4)
  assert.deepEqual(['a', 'b', 'c'].map(cache.get), ['A', undefined, 'C'])
  cache.set('huge', 'H', 11)
  assert.deepEqual(['a', 'c', 'huge'].map(cache.get), ['A', 'C', undefined])
  cache.set('a', 'A2', 10)
  assert.deepEqual(['a', 'c'].map(cache.get), ['A2', undefined])
})
