import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { describeSpecialFile, readIfPresent } from '#host/fs'
import { readRegularFile } from '#host/fs/files.ts'
import { addPythonFileHost } from '#host/project/detect.ts'
import { requirePrograms } from '#host/versions.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('what is no plain file is told by its kind, exit 2, and nobody waits for it', t => {
  const folder = createScratchFolder(t)
  const at = (name: string) => path.join(folder, name)
  fs.mkdirSync(at('folder'))
  spawnSync('mkfifo', [at('pipe')])
  fs.symlinkSync('/dev/null', at('device'))
  fs.writeFileSync(at('file'), 'words')
  fs.symlinkSync(at('file'), at('link'))
  for (const [name, kind] of [
    ['folder', 'a folder'],
    ['pipe', 'a pipe (FIFO)'],
    ['device', 'a device'],
  ] as const) {
    assert.equal(describeSpecialFile(at(name)), kind)
    const told = (error: unknown) =>
      error instanceof DispatchError &&
      error.exitCode === 2 &&
      error.message === `${at(name)} is ${kind}, and should be a file`
    assert.throws(() => readIfPresent(at(name)), told)
    assert.throws(() => readRegularFile(at(name)), told)
  }
  assert.equal(readIfPresent(at('link')), 'words')
  assert.equal(describeSpecialFile(at('nothing')), undefined)
  assert.equal(readIfPresent(at('nothing')), undefined)
  assert.match(readIfPresent('/proc/self/stat') ?? '1 (', /^\d+ \(/)
})

test('git and tmux are asked for their version once, until they are other files', async t => {
  const home = createScratchFolder(t)
  const note = path.join(home, 'cache/git')
  await requirePrograms({ home })
  const first = fs.readFileSync(note, 'utf8')
  fs.utimesSync(note, 1, 1)
  await requirePrograms({ home })
  assert.equal(fs.statSync(note).mtimeMs, 1000, 'it was asked again')
  fs.writeFileSync(note, `${first} older`)
  await requirePrograms({ home })
  assert.equal(fs.readFileSync(note, 'utf8'), first)
})

test('the files of Python’s own index come from another host, and that is named', () => {
  assert.deepEqual(addPythonFileHost([]), ['pypi.org', 'files.pythonhosted.org'])
  assert.deepEqual(addPythonFileHost(['pypi.org']), ['pypi.org', 'files.pythonhosted.org'])
  assert.deepEqual(addPythonFileHost(['mirror.example']), ['mirror.example'])
})
