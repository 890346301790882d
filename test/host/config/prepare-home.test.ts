import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { installFolder, prepareHome } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'

const STARTS = 8
const ROUNDS = 100

/** Waits for each round's file, then prepares that round's home at the same moment as the others. */
const script = `
import fs from 'node:fs'
import { prepareHome } from '#host/config'
const [folder, name, rounds] = process.argv.slice(1)
fs.writeFileSync(folder + '/ready-' + name, '')
for (let round = 0; round < Number(rounds); round++) {
  while (!fs.existsSync(folder + '/go-' + round)) {}
  prepareHome({ home: folder + '/home-' + round + '/dispatch' })
}
`

test('first starts at the same moment all make the home', async t => {
  const folder = createScratchFolder(t)
  const starts = Array.from({ length: STARTS }, (_, index) =>
    runProgram(process.execPath, ['--input-type=module', '-e', script, folder, String(index), String(ROUNDS)], {
      cwd: installFolder,
    }),
  )
  const count = (prefix: string) => fs.readdirSync(folder).filter(name => name.startsWith(prefix)).length
  await waitUntil(() => count('ready-') === STARTS, 'every process runs')
  for (let round = 0; round < ROUNDS; round++) fs.writeFileSync(path.join(folder, `go-${round}`), '')
  for (const ran of await Promise.all(starts)) assert.equal(ran.exitCode, 0, ran.stderr)
})

test('whatever the umask, the home is closed to others, and so is one that was open', t => {
  const folder = createScratchFolder(t)
  const home = path.join(folder, 'a/home')
  const readMode = (name: string) => (fs.statSync(name).mode & 0o777).toString(8)
  const umask = process.umask(0)
  try {
    prepareHome({ home })
    assert.deepEqual([readMode(home), readMode(path.dirname(home))], ['700', '700'])
    fs.mkdirSync(path.join(home, 'cache/code'), { recursive: true })
    for (const [mode, hasCache] of [
      [0o755, true],
      [0o777, false],
    ] as const) {
      fs.chmodSync(home, mode)
      prepareHome({ home })
      assert.equal(readMode(home), '700')
      assert.equal(fs.existsSync(path.join(home, 'cache/code')), hasCache, 'code that others could write is not kept')
    }
  } finally {
    process.umask(umask)
  }
})

test('a home of another user is refused', {
  skip: process.getuid?.() !== 0 && 'only root can give a folder away',
}, t => {
  const home = createScratchFolder(t)
  fs.chownSync(home, 12345, 12345)
  assert.throws(() => prepareHome({ home }), { exitCode: 2, message: /belongs to user 12345/ })
})
