import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { listUncommitted } from '#host/git/uncommitted.ts'
import { sha256 } from '#host/hash.ts'
import { createRepository } from '../../fixtures/host/repository.ts'

test('a file with the content of its LFS pointer is not uncommitted', async t => {
  const content = 'large\n'.repeat(1000)
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\nsize ${content.length}\n`
  const names = [
    'clean.bin',
    'é.bin',
    'caf\udce9.bin',
    'changed.bin',
    'shorter.bin',
    'program.bin',
    'staged.bin',
    'plain',
  ]
  const { path: folder } = await createRepository(t, {
    '.gitattributes': '*.bin filter=lfs -text\n',
    ...Object.fromEntries(names.filter(name => !name.startsWith('caf')).map(name => [name, pointer])),
  })
  const write = (name: string, text: string) =>
    fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]), text)
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=u', '-c', 'user.email=u@h']
    const result = await runProgram('git', [...identity, ...args], { cwd: folder })
    assert.equal(result.exitCode, 0, result.stderr)
  }
  write('caf\xe9.bin', pointer)
  await git('add', '-A')
  await git('commit', '--quiet', '--message', 'two')
  fs.writeFileSync(path.join(folder, 'staged.bin'), 'staged')
  await git('update-index', 'staged.bin')
  // As Git LFS sets it up; it must not run.
  await git('config', 'filter.lfs.clean', `touch ${folder}/ran; cat`)
  await git('config', 'filter.lfs.required', 'true')

  for (const name of names) if (!name.startsWith('caf')) fs.writeFileSync(path.join(folder, name), content)
  write('caf\xe9.bin', content)
  fs.writeFileSync(path.join(folder, 'changed.bin'), content.toUpperCase())
  fs.writeFileSync(path.join(folder, 'shorter.bin'), 'short')
  fs.chmodSync(path.join(folder, 'program.bin'), 0o755)
  fs.writeFileSync(path.join(folder, 'new.bin'), content)
  assert.deepEqual(await listUncommitted(folder), [
    ' M changed.bin',
    ' M plain',
    ' M program.bin',
    ' M shorter.bin',
    'MM staged.bin',
    '?? new.bin',
  ])
})
