/** The rehearsal `night`, with a disk that is full for a while where this user may mount one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordNight } from '../walk/record-night.ts'

test('a night: everything that can go on by itself does, and the person finds the rest', async t => {
  const { lines, isAsItShouldBe, hasFilledDisk } = await recordNight()
  if (!hasFilledDisk) t.diagnostic('the disk was not filled: this user may not mount one')
  assert.ok(isAsItShouldBe, lines.join('\n'))
  t.diagnostic('12 tasks')
})
