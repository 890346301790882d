import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { it, type TestContext } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { patientHooksFolder } from '../fixtures/run-hook.ts'

function createFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hooks [x] '))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  fs.mkdirSync(path.join(folder, 'hook-inbox'))
  return folder
}

const runHook = (name: string, input: string, env: Record<string, string>) =>
  runProgram('/bin/sh', [path.join(patientHooksFolder, name)], {
    input,
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })

it('record leaves one complete file of at most 64 KiB and exits 0 for any input', async t => {
  const folder = createFolder(t)
  const env = { DISPATCH_HOOK_INBOX: path.join(folder, 'hook-inbox') }
  const inputs = ['', '{}', 'not json', '{"a":"\\u0000"}', 'x'.repeat(10 * 1024 * 1024), '\u0000\u0001']
  for (const input of inputs) assert.deepEqual((await runHook('record', input, env)).exitCode, 0)
  const files = fs.readdirSync(env.DISPATCH_HOOK_INBOX)
  assert.equal(files.length, inputs.length)
  assert.ok(
    files.every(name => /^\d+-\d+-$/.test(name)),
    files.join(' '),
  )
  assert.deepEqual(
    files.map(name => fs.statSync(path.join(env.DISPATCH_HOOK_INBOX, name)).size).sort(),
    inputs.map(input => Math.min(Buffer.byteLength(input), 64 * 1024)).sort(),
  )
})

it('two hundred recorders at once lose no event', async t => {
  const env = { DISPATCH_HOOK_INBOX: path.join(createFolder(t), 'hook-inbox') }
  await Promise.all(Array.from({ length: 200 }, (_, index) => runHook('record', `{"n":${index}}`, env)))
  assert.equal(
    new Set(
      fs
        .readdirSync(env.DISPATCH_HOOK_INBOX)
        .map(name => fs.readFileSync(path.join(env.DISPATCH_HOOK_INBOX, name), 'utf8')),
    ).size,
    200,
  )
})

it('outside a session a hook does nothing', async () => {
  for (const name of ['record', 'stop', 'guard', 'status-line']) {
    const ran = await runHook(name, '{"hook_event_name":"Stop","tool_input":{"file_path":"/etc/passwd"}}', {})
    assert.deepEqual([ran.exitCode, ran.stdout, ran.stderr], [0, '', ''], name)
  }
})

it('the status line keeps the newest report of an orchestrator, and shows nothing', async t => {
  const folder = createFolder(t)
  const env = { DISPATCH_ROLE: 'orchestrator', DISPATCH_ORCHESTRATOR_FOLDER: folder }
  for (const input of ['{"cost":1}', `{"cost":2}${'x'.repeat(100_000)}`]) {
    const ran = await runHook('status-line', input, env)
    assert.deepEqual([ran.exitCode, ran.stdout, ran.stderr], [0, '', ''])
    assert.equal(fs.readFileSync(path.join(folder, '.cost.json'), 'utf8'), input.slice(0, 64 * 1024))
  }
  assert.deepEqual(fs.readdirSync(folder).sort(), ['.cost.json', 'hook-inbox'])
  assert.equal((await runHook('status-line', '{}', { ...env, DISPATCH_ORCHESTRATOR_FOLDER: '/dev/null' })).exitCode, 0)
})

it('stop prints the stop gate while it exists, for an orchestrator only', async t => {
  const folder = createFolder(t)
  const env = {
    DISPATCH_HOOK_INBOX: path.join(folder, 'hook-inbox'),
    DISPATCH_STOP_GATE: path.join(folder, 'stop-gate.json'),
    DISPATCH_ROLE: 'orchestrator',
  }
  assert.equal((await runHook('stop', '{}', env)).stdout, '')
  fs.writeFileSync(env.DISPATCH_STOP_GATE, '{"decision":"block"}\n')
  assert.equal((await runHook('stop', '{}', env)).stdout, '{"decision":"block"}\n')
  assert.equal((await runHook('stop', '{}', { ...env, DISPATCH_ROLE: 'worker' })).stdout, '')
  assert.equal(fs.readdirSync(env.DISPATCH_HOOK_INBOX).length, 3)
})

it('guard allows a file on the allowlist and refuses every other path', async t => {
  const folder = createFolder(t)
  const allowlist = path.join(folder, 'write-allowlist')
  fs.writeFileSync(allowlist, '/work/my \\[home\\]/outputs/*\n')
  const env = {
    DISPATCH_HOOK_INBOX: path.join(folder, 'hook-inbox'),
    DISPATCH_WRITE_ALLOWLIST: allowlist,
    DISPATCH_ROLE: 'worker',
    DISPATCH_WORKER: 's/w',
  }
  const write = (file: string, content = '') =>
    runHook('guard', JSON.stringify({ tool_name: 'Write', tool_input: { file_path: file, content } }), env)
  assert.equal((await write('/work/my [home]/outputs/a.txt')).stdout, '')
  assert.equal((await write('/work/my [home]/outputs/deep/er/a b.txt', '"file_path":"/etc/passwd"')).stdout, '')
  const refused = [
    '/etc/passwd',
    'a.txt',
    '',
    '/work/my [home]/outputs/../x',
    '/work/my [home]/outputs/..',
    '/work/my h/outputs/x',
    '/work/my [home]/outputs-evil/x',
    '/work/my [home]/outputs\\x',
  ]
  for (const file of refused) {
    const ran = await write(file, '{"file_path":"/work/my [home]/outputs/ok"}')
    assert.match(ran.stdout, /"permissionDecision":"deny"/, file)
    assert.equal(ran.exitCode, 0)
  }
})
