/** `bin/dispatch` runs the build where there is one, and the sources with DISPATCH_DEV=1. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkBuild } from '#cli/doctor/install.ts'
import { buildFolder, installFolder, writeSourceRecord } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { findInstalledFolder, getVersionsFolder, readVersionChoice, writeVersionChoice } from '#host/installed-code'
import { entryPoint } from '../fixtures/rig.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

/** An install with the real bin/dispatch, in which each program only prints which one it is. */
function createInstall(t: TestContext): string {
  const folder = createScratchFolder(t)
  const print = (what: string) => `process.stdout.write('${what}')\n`
  const files = {
    'package.json': '{"type":"module"}',
    'package-lock.json': '{}',
    'bin/dispatch': fs.readFileSync(entryPoint, 'utf8'),
    'bin/dispatch.ts': print('sources'),
    'host/a.ts': '',
    'test/a.ts': '',
    'node_modules/a.ts': '',
    'built/dispatch.js': print('built'),
  }
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  fs.mkdirSync(path.join(folder, 'node_modules/node/bin'), { recursive: true })
  fs.symlinkSync(process.execPath, path.join(folder, 'node_modules/node/bin/node'))
  return folder
}

/** What `bin/dispatch` runs when it is called by this path, and what it says on standard error. */
async function runEntryPoint(folder: string, file = path.join(folder, 'bin/dispatch'), variables = {}) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, CDPATH: '/', ...variables }
  const { stdout, stderr } = await runProgram('/bin/sh', [file], { cwd: folder, env, timeoutMs: HANG_MS })
  return { stdout, stderr }
}

const HANG_MS = 60_000
const silently = (stdout: string) => ({ stdout, stderr: '' })

test('bin/dispatch runs the build by every path, also after a source was edited', async t => {
  const folder = createInstall(t)
  const other = createScratchFolder(t)
  fs.symlinkSync(path.join(folder, 'bin/dispatch'), path.join(other, 'dispatch'))
  fs.symlinkSync(path.join(folder, 'bin'), path.join(other, 'bin'))
  const links = ['dispatch', 'bin/dispatch'].map(name => path.join(other, name))
  for (const file of [undefined, 'bin/dispatch', ...links])
    assert.deepEqual(await runEntryPoint(folder, file), silently('built'), file)
  fs.appendFileSync(path.join(folder, 'bin/dispatch.ts'), '\n')
  fs.appendFileSync(path.join(folder, 'package-lock.json'), '\n')
  assert.deepEqual(await runEntryPoint(folder), silently('built'))
})

test('only DISPATCH_DEV=1 runs the sources without a word', async t => {
  const folder = createInstall(t)
  const run = (DISPATCH_DEV: string) => runEntryPoint(folder, undefined, { DISPATCH_DEV })
  assert.deepEqual(await run('1'), silently('sources'))
  for (const value of ['0', 'true']) assert.deepEqual(await run(value), silently('built'))
  fs.rmSync(path.join(folder, 'built'), { recursive: true })
  assert.deepEqual(await run('1'), silently('sources'))
  const { stdout, stderr } = await run('')
  assert.equal(stdout, 'sources')
  assert.match(stderr, /^dispatch: .*npm run build.*\n$/)
})

test('bin/dispatch runs the version that an update has chosen, and the clone where that is gone or no name', async t => {
  const clone = createInstall(t)
  const name = '1.0.0-0123456789ab'
  const version = path.join(getVersionsFolder(clone), name)
  t.after(() => fs.rmSync(getVersionsFolder(clone), { recursive: true }))
  fs.cpSync(clone, version, { recursive: true })
  fs.writeFileSync(path.join(version, 'built/dispatch.js'), "process.stdout.write('version')\n")
  const choose = (current: string) => writeVersionChoice(clone, { current, previous: 'clone' })
  choose(name)
  assert.deepEqual(await runEntryPoint(clone), silently('version'))
  assert.deepEqual(await runEntryPoint(clone, undefined, { DISPATCH_DEV: '1' }), silently('sources'))
  assert.deepEqual(readVersionChoice(clone), { current: name, previous: 'clone' })
  for (const other of ['clone', '', '1.0.0-000000000000', `../${path.basename(getVersionsFolder(clone))}/${name}`]) {
    choose(other)
    assert.deepEqual(await runEntryPoint(clone), silently('built'), other)
    assert.equal(findInstalledFolder(clone), clone, other)
  }
})

test('a cache folder that cannot be created is left out', async t => {
  const folder = createInstall(t)
  for (const variables of [{ DISPATCH_HOME: '/proc/x' }, { NODE_COMPILE_CACHE: '/proc/x' }])
    assert.deepEqual(await runEntryPoint(folder, undefined, variables), silently('built'))
})

test('doctor reports a build that is older than its sources', t => {
  const folder = createInstall(t)
  const state = () => checkBuild(folder, true).state
  assert.equal(state(), 'warn', 'nothing is recorded')
  writeSourceRecord(path.join(folder, buildFolder), folder, ['host/a.ts', 'package-lock.json'])
  fs.utimesSync(path.join(folder, 'host/a.ts'), new Date(), new Date())
  assert.equal(state(), 'ok')
  assert.equal(checkBuild(folder, false).state, 'ok')
  const edit = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text)
  edit('host/a.ts', 'export {}\n')
  assert.equal(state(), 'warn')
  assert.match(checkBuild(folder, true).fix?.linux ?? '', /npm ci/)
  edit('host/a.ts', '')
  assert.equal(state(), 'ok')
  fs.renameSync(path.join(folder, 'host/a.ts'), path.join(folder, 'host/b.ts'))
  edit('package-lock.json', '{ }')
  assert.equal(state(), 'warn')
})

test('the build and the sources print the same', async () => {
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
