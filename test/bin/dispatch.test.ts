/** `bin/dispatch` runs the build where there is one, and the sources with DISPATCH_DEV=1. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkBuild, computeSourceRecord, SOURCE_RECORD_FILE } from '#cli/doctor/build.ts'
import { buildFolder, installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { entryPoint } from '../fixtures/rig.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

/** An install with the real door, in which each program only says where it lies. */
function installIn(t: TestContext): string {
  const folder = createScratchFolder(t)
  const say = (what: string) => `process.stdout.write('${what}')\n`
  const files = {
    'package.json': '{"type":"module"}',
    'package-lock.json': '{}',
    'bin/dispatch': fs.readFileSync(entryPoint, 'utf8'),
    'bin/dispatch.ts': say('sources'),
    'host/a.ts': '',
    'test/a.ts': '',
    'node_modules/a.ts': '',
    'built/dispatch.js': say('built'),
  }
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  fs.mkdirSync(path.join(folder, 'node_modules/node/bin'), { recursive: true })
  fs.symlinkSync(process.execPath, path.join(folder, 'node_modules/node/bin/node'))
  return folder
}

/** What `bin/dispatch` runs when it is reached this way. */
async function entered(folder: string, way = path.join(folder, 'bin/dispatch'), DISPATCH_DEV = ''): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, CDPATH: '/', DISPATCH_DEV }
  const ran = await runProgram('/bin/sh', [way], { cwd: folder, env })
  assert.equal(ran.stderr, '')
  return ran.stdout
}

test('the build is run, by whatever way it is reached; an edit of a source does not switch it', async t => {
  const folder = installIn(t)
  const elsewhere = createScratchFolder(t)
  fs.symlinkSync(path.join(folder, 'bin/dispatch'), path.join(elsewhere, 'dispatch'))
  fs.symlinkSync(path.join(folder, 'bin'), path.join(elsewhere, 'bin'))
  const ways = ['dispatch', 'bin/dispatch'].map(name => path.join(elsewhere, name))
  for (const way of [undefined, 'bin/dispatch', ...ways]) assert.equal(await entered(folder, way), 'built', way)
  fs.appendFileSync(path.join(folder, 'bin/dispatch.ts'), '\n')
  fs.appendFileSync(path.join(folder, 'package-lock.json'), '\n')
  assert.equal(await entered(folder), 'built')
})

test('DISPATCH_DEV=1 runs the sources, and no other value does; without a build they are run anyway', async t => {
  const folder = installIn(t)
  assert.equal(await entered(folder, undefined, '1'), 'sources')
  for (const other of ['0', 'true']) assert.equal(await entered(folder, undefined, other), 'built')
  fs.rmSync(path.join(folder, 'built'), { recursive: true })
  assert.equal(await entered(folder), 'sources')
})

test('doctor reports a build that is older than its sources, or does not say what it was made from', t => {
  const folder = installIn(t)
  const state = () => checkBuild(folder, true).state
  assert.equal(state(), 'weak', 'nothing is recorded')
  const record = computeSourceRecord(folder, ['host/a.ts', 'package-lock.json'])
  fs.writeFileSync(path.join(folder, buildFolder, SOURCE_RECORD_FILE), JSON.stringify(record))
  fs.utimesSync(path.join(folder, 'host/a.ts'), new Date(), new Date())
  assert.equal(state(), 'good')
  assert.equal(checkBuild(folder, false).state, 'good')
  const edit = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text)
  edit('host/a.ts', 'export {}\n')
  assert.equal(state(), 'weak')
  assert.match(checkBuild(folder, true).fix?.linux ?? '', /npm ci/)
  edit('host/a.ts', '')
  assert.equal(state(), 'good')
  fs.renameSync(path.join(folder, 'host/a.ts'), path.join(folder, 'host/b.ts'))
  edit('package-lock.json', '{ }')
  assert.equal(state(), 'weak')
})

test('what is built and what is written say the same', async () => {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nowhere' }
  for (const words of [['--help'], ['help', 'audit'], ['ls', '--nonesuch']]) {
    const both = [path.join(buildFolder, 'dispatch.js'), 'bin/dispatch.ts'].map(file =>
      runProgram(process.execPath, [path.join(installFolder, file), ...words], { env }),
    )
    const [one, other] = await Promise.all(both)
    assert.deepEqual(
      [one?.exitCode, one?.stdout, one?.stderr],
      [other?.exitCode, other?.stdout, other?.stderr],
      words.join(' '),
    )
  }
})
