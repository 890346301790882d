import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it, type TestContext } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { canExecuteIn, findWriteProblem, getScratchRoot } from '#host/temp-folder.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'
import { whyNotLinux } from '../fixtures/skip-reasons.ts'

const modules = ['host/temp-folder.ts', 'runner/checks/consider-machine.ts'].map(file =>
  path.join(import.meta.dirname, '../..', file),
)

/** Evaluate code that uses the functions of these modules as `m`, in a process with this TMPDIR; its value and stderr. */
async function evaluate(t: TestContext, code: string, mounts: string[], TMPDIR: string) {
  const imports = modules.map(file => `...(await import(${JSON.stringify(file)}))`).join(', ')
  const script = `const m = { ${imports} }; const os = await import('node:os'); const fs = await import('node:fs')
    const show = value => process.stdout.write(JSON.stringify(value)); ${code}`
  const node = [process.execPath, '--input-type=module', '-e', script]
  const shell = [...mounts, 'exec "$@"'].join(' && ')
  const argv = mounts.length > 0 ? ['unshare', '-m', 'sh', '-c', shell, 'sh', ...node] : node
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nowhere', DISPATCH_HOME: createScratchFolder(t), TMPDIR }
  const run = await runProgram(argv[0] ?? '', argv.slice(1), { env, cwd: '/' })
  assert.equal(run.exitCode, 0, run.stderr)
  return { value: JSON.parse(run.stdout), home: env.DISPATCH_HOME }
}

const canMount = whyNotLinux || (process.geteuid?.() === 0 ? false : 'it mounts file systems: run it as root')
const useFolder = 'show([m.useTempFolder(), os.tmpdir()])'

it('a folder for temporary files that is missing is replaced, and that is said', async t => {
  const { value } = await evaluate(t, useFolder, [], '/nowhere/tmp')
  assert.deepEqual(value, ['TMPDIR: /nowhere/tmp does not exist, so /tmp is used', '/tmp'])
  const file = path.join(createScratchFolder(t), 'file')
  fs.writeFileSync(file, '')
  assert.match((await evaluate(t, useFolder, [], file)).value[0], /is not a folder, so \/tmp is used/)
  const good = createScratchFolder(t)
  assert.deepEqual((await evaluate(t, useFolder, [], good)).value, [null, good])
})

it('a read-only folder for temporary files is replaced, or exit 10', { skip: canMount }, async t => {
  const folder = createScratchFolder(t)
  // What is in it stays: this checkout may be there.
  const readOnly = (place: string) => `mount --bind '${place}' '${place}' && mount -o remount,bind,ro '${place}'`
  const { value, home } = await evaluate(t, useFolder, [readOnly(folder)], folder)
  assert.deepEqual(value, [`TMPDIR: ${folder} is read-only, so /tmp is used`, '/tmp'], home)
  const nothing = 'try { m.useTempFolder() } catch (error) { show([error.exitCode, error.message, error.remedy]) }'
  const failed = await evaluate(t, nothing, [readOnly('/tmp')], '/tmp')
  assert.deepEqual(failed.value, [
    10,
    'there is no folder for temporary files: /tmp is read-only',
    'Set TMPDIR to a folder on a disk that you can write.',
  ])
})

it('a folder is tried out under a name that cannot be guessed, and no link is followed', async t => {
  const folder = createScratchFolder(t)
  const victim = path.join(folder, 'victim')
  fs.writeFileSync(victim, 'mine')
  fs.symlinkSync(victim, path.join(folder, `dispatch-probe-${process.pid}`))
  assert.equal(await canExecuteIn(folder), true)
  assert.equal(findWriteProblem(folder), undefined)
  assert.equal(fs.readFileSync(victim, 'utf8'), 'mine')
  assert.deepEqual(fs.readdirSync(folder), [`dispatch-probe-${process.pid}`, 'victim'])
})

it('a disk that is full or executes nothing is no fault of the work', { skip: canMount }, async t => {
  const folder = createScratchFolder(t)
  const consider = (output: string, outcome = 'red') =>
    `m.considerMachine({ outcome: '${outcome}', reason: 'r' }, { stdout: '', stderr: ${JSON.stringify(output)} }, os.tmpdir())`
  const mount = (options: string) => [`mount -t tmpfs -o ${options} none '${folder}'`]
  const denied = './hello.sh: Permission denied'
  const noexec = await evaluate(
    t,
    `show([await ${consider(denied)}, await ${consider(denied, 'green')}, await ${consider('1 failed')}, await m.useExecutableTempFolder(), os.tmpdir()])`,
    mount('noexec'),
    folder,
  )
  const red = { outcome: 'red', reason: 'r' }
  assert.deepEqual(noexec.value, [
    { outcome: 'could not run', reason: `this machine does not execute programs in ${folder}` },
    { outcome: 'green', reason: 'r' },
    red,
    `this machine does not execute programs in ${folder}, so ${noexec.home}/tmp is used for temporary files`,
    `${noexec.home}/tmp`,
  ])
  const noSpace = 'cp: error writing x: No space left on device'
  const before = `const before = await ${consider(noSpace)}; try { fs.writeFileSync(os.tmpdir() + '/x', Buffer.alloc(4e6)) } catch {}`
  const full = await evaluate(
    t,
    `${before}; show([before, await ${consider(noSpace)}, await ${consider(denied)}])`,
    mount('size=3m'),
    folder,
  )
  assert.deepEqual(full.value, [red, { outcome: 'could not run', reason: `the disk is full (${folder})` }, red])
})

it('a check has a home with room for a socket, also on macOS', () => {
  assert.equal(getScratchRoot('darwin', '/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T'), '/tmp')
  assert.equal(getScratchRoot('darwin', '/Volumes/ram'), '/Volumes/ram')
  assert.equal(getScratchRoot('linux', '/var/folders/x'), '/var/folders/x')
})
