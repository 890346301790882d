import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { git, readAttributes } from '#host/git'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('an attribute without a value does not shift those of other files', async t => {
  const folder = createScratchFolder(t)
  await git(['init', '--quiet'], { cwd: folder })
  fs.writeFileSync(path.join(folder, '.gitattributes'), 'a filter=\n*.bin filter=lfs -text\n')
  const read = await readAttributes(['filter', 'text'], ['a', 'b', 'c.bin', 'ä\nb.bin'], { cwd: folder })
  assert.deepEqual(
    [...read],
    [
      ['a', ['', 'unspecified']],
      ['b', ['unspecified', 'unspecified']],
      ['c.bin', ['lfs', 'unset']],
      ['ä\nb.bin', ['lfs', 'unset']],
    ],
  )
})
