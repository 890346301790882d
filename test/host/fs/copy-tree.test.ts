import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { copyTree } from '#host/fs'
import { buildCopyCommand } from '#host/fs/copy-tree.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a folder is copied with its links and modes', async t => {
  const folder = createScratchFolder(t)
  fs.mkdirSync(path.join(folder, 'from/deep'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'from/deep/x.sh'), 'x', { mode: 0o755 })
  fs.symlinkSync('deep/x.sh', path.join(folder, 'from/link'))
  await copyTree(path.join(folder, 'from'), path.join(folder, 'a/to'))
  assert.equal(fs.readlinkSync(path.join(folder, 'a/to/link')), 'deep/x.sh')
  assert.equal(fs.statSync(path.join(folder, 'a/to/deep/x.sh')).mode & 0o777, 0o755)
  await assert.rejects(copyTree(path.join(folder, 'absent'), path.join(folder, 'b')), /could not be copied/)
  // GNU's cp, which may come first on the PATH of a Mac, does not know these options.
  assert.deepEqual(buildCopyCommand('a', 'b', 'darwin'), ['/bin/cp', '-c', '-R', '-p', '-P', 'a', 'b'])
  assert.deepEqual(buildCopyCommand('a', 'b', 'linux'), ['cp', '-a', '--reflink=auto', 'a', 'b'])
})
