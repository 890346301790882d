import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { encodeName } from '#host/file-name.ts'
import { git } from '#host/git'
import { withSources } from '#runner/rounds/leak-sources.ts'
import { resolveSessionPaths } from '#session/paths.ts'
import { importWork, prepareRepository } from '#session/repository'
import { createScratchFolder } from '../../fixtures/scratch.ts'

it('the sources are all files of the work and the old content of changed ones', async t => {
  const paths = resolveSessionPaths(path.join(createScratchFolder(t), 'session'))
  fs.mkdirSync(paths.folder, { recursive: true })
  await prepareRepository(paths, 'work', undefined)
  const put = (name: string, text: string) => fs.writeFileSync(encodeName(path.join(paths.outputs, name)), text)
  const commit = async () => {
    await git(['add', '-A'], { cwd: paths.outputs })
    await git(['commit', '--quiet', '-m', 'x'], { cwd: paths.outputs })
    return importWork(paths)
  }
  put('kept.py', 'kept')
  put('caf\udce9.py', 'not UTF-8')
  put('caf\udce8.py', 'nor this')
  put('changed.py', 'as it was')
  put('removed é.py', 'once there')
  fs.symlinkSync('/etc/hostname', path.join(paths.outputs, 'link.py'))
  const base = await commit()
  put('changed.py', 'as it is')
  put('new.py', 'new')
  put('caf\udce8.py', 'changed')
  put('data.bin', '')
  fs.truncateSync(path.join(paths.outputs, 'data.bin'), 16 * 1024 * 1024 + 1)
  fs.rmSync(path.join(paths.outputs, 'removed é.py'))
  const head = await commit()

  const walks = await withSources(paths, { base, head }, sources =>
    [[...sources], [...sources]].map(walk => walk.map(source => `${source.path}: ${source.text}`).sort()),
  )
  assert.deepEqual(walks[0], walks[1], 'they can be read twice')
  assert.deepEqual(walks[0], [
    'caf\udce8.py: changed',
    'caf\udce8.py: nor this',
    'caf\udce9.py: not UTF-8',
    'changed.py: as it is',
    'changed.py: as it was',
    'kept.py: kept',
    'new.py: new',
    'removed é.py: once there',
  ])
})
