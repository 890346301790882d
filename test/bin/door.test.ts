/** The door goes into the build as long as no source has changed since, and into the sources else. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { built, install, run } from '../../host/index.ts'
import { scratch } from '../host/scratch.ts'
import { door } from '../rig.ts'

/** An install with the real door, in which each program only says where it lies. */
function installIn(t: TestContext): string {
  const folder = scratch(t)
  const say = (what: string) => `process.stdout.write('${what}')\n`
  const files = {
    'package.json': '{"type":"module"}',
    'package-lock.json': '{}',
    'bin/dispatch': fs.readFileSync(door, 'utf8'),
    'bin/dispatch.ts': say('sources'),
    'host/a.ts': '',
    'test/a.ts': '',
    'node_modules/a.ts': '',
    'built/dispatch.js': say('built'),
    'built/stamp': '',
  }
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  fs.mkdirSync(path.join(folder, 'node_modules/node/bin'), { recursive: true })
  fs.symlinkSync(process.execPath, path.join(folder, 'node_modules/node/bin/node'))
  return folder
}

async function entered(folder: string, way = path.join(folder, 'bin/dispatch'), tools = ''): Promise<string> {
  const env = { PATH: `${tools}:${process.env['PATH']}`, HOME: folder, CDPATH: '/' }
  const ran = await run('/bin/sh', [way], { cwd: folder, env })
  assert.equal(ran.stderr, '')
  return ran.stdout
}

const moment = () => new Promise(resolve => setTimeout(resolve, 20))

test('an edit counts at once, also one that is dated back; what is no source does not', async t => {
  const folder = installIn(t)
  await moment()
  fs.writeFileSync(path.join(folder, 'built/stamp'), '')
  assert.equal(await entered(folder), 'built')
  await moment()
  for (const name of ['test/a.ts', 'node_modules/a.ts', 'built/dispatch.js'])
    fs.appendFileSync(path.join(folder, name), '\n')
  assert.equal(await entered(folder), 'built')
  fs.appendFileSync(path.join(folder, 'host/a.ts'), '\n')
  fs.utimesSync(path.join(folder, 'host/a.ts'), 0, 0)
  assert.equal(await entered(folder), 'sources')
  await moment()
  fs.writeFileSync(path.join(folder, 'built/stamp'), '')
  assert.equal(await entered(folder), 'built')
  await moment()
  fs.renameSync(path.join(folder, 'host/a.ts'), path.join(folder, 'host/b.ts'))
  assert.equal(await entered(folder), 'sources')
})

test('by whatever way it is reached, and where it cannot look, the sources count', async t => {
  const folder = installIn(t)
  const elsewhere = scratch(t)
  fs.symlinkSync(path.join(folder, 'bin/dispatch'), path.join(elsewhere, 'dispatch'))
  fs.symlinkSync(path.join(folder, 'bin'), path.join(elsewhere, 'bin'))
  const ways = [path.join(elsewhere, 'dispatch'), path.join(elsewhere, 'bin/dispatch'), 'bin/dispatch']
  await moment()
  fs.writeFileSync(path.join(folder, 'built/stamp'), '')
  for (const way of ways) assert.equal(await entered(folder, way), 'built', way)
  await moment()
  fs.appendFileSync(path.join(folder, 'package-lock.json'), '\n')
  for (const way of ways) assert.equal(await entered(folder, way), 'sources', way)

  await moment()
  fs.writeFileSync(path.join(folder, 'built/stamp'), '')
  fs.writeFileSync(path.join(elsewhere, 'find'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  assert.equal(await entered(folder), 'built')
  assert.equal(await entered(folder, undefined, elsewhere), 'sources')
})

test('without a whole build the sources are run', async t => {
  const folder = installIn(t)
  fs.rmSync(path.join(folder, 'built/stamp'))
  assert.equal(await entered(folder), 'sources')
  fs.rmSync(path.join(folder, 'built'), { recursive: true })
  assert.equal(await entered(folder), 'sources')
})

test('what is built and what is written say the same', async () => {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nowhere' }
  for (const words of [['--help'], ['help', 'audit'], ['ls', '--nonesuch']]) {
    const both = [path.join(built, 'dispatch.js'), 'bin/dispatch.ts'].map(file =>
      run(process.execPath, [path.join(install, file), ...words], { env }),
    )
    const [one, other] = await Promise.all(both)
    assert.deepEqual(
      [one?.code, one?.stdout, one?.stderr],
      [other?.code, other?.stdout, other?.stderr],
      words.join(' '),
    )
  }
})
