/** What a hook is given and what becomes of its disk, by the numbers of the fault catalogue. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { parseJsonc } from '#host/json.ts'
import { createHookFolder, endInput, hooksFolder, listSpoolFiles, runHook } from '../fixtures/machine.ts'
import { findProcesses } from '../fixtures/rig.ts'

const record = '/bin/sh "$DISPATCH_HOOKS/record"'
const fine = { code: 0, output: '' }
const shells = ['/bin/sh', '/bin/dash', '/bin/bash', '/usr/bin/busybox'].filter(shell => fs.existsSync(shell))

/** The hooks' shells here: `sh` in the manner of each. */
function shellLine(shell: string): string {
  const base = path.basename(shell)
  return base === 'busybox' ? `${shell} sh` : base === 'bash' ? `${shell} --posix` : shell
}

describe('F54: whatever comes in, or does not', { concurrency: 2 }, () => {
  for (const shell of shells)
    it(`${shell}: half-closed and never-closed input, and none at all: exit 0 in time, and what has come is kept`, async t => {
      const spool = path.join(createHookFolder(t), 'hook-inbox')
      const line = `exec ${shellLine(shell)} "$DISPATCH_HOOKS/record"`
      const half = await runHook(
        line,
        { DISPATCH_HOOK_INBOX: spool },
        input => void input.write('{"hook_event_name":"Stop"'),
      )
      assert.deepEqual({ ...half, seconds: 0 }, { ...fine, seconds: 0 })
      assert.ok(half.seconds < 3, `${half.seconds} s`)
      const [left = 'nothing'] = listSpoolFiles(spool)
      assert.equal(fs.readFileSync(path.join(spool, left), 'utf8'), '{"hook_event_name":"Stop"')
      const much = await runHook(line, { DISPATCH_HOOK_INBOX: spool }, input => void input.write('x'.repeat(100_000)))
      assert.deepEqual({ ...much, seconds: 0 }, { ...fine, seconds: 0 })
      assert.deepEqual(
        listSpoolFiles(spool)
          .map(name => fs.statSync(path.join(spool, name)).size)
          .sort(),
        [25, 65_536],
      )
      const none = await runHook(line, { DISPATCH_HOOK_INBOX: spool }, () => undefined)
      assert.deepEqual({ ...none, seconds: 0 }, { ...fine, seconds: 0 })
      const shut = await runHook(`${line} <&-`, { DISPATCH_HOOK_INBOX: spool }, () => undefined)
      assert.deepEqual({ ...shut, seconds: 0 }, { ...fine, seconds: 0 })
      await gone(spool)
    })
})

describe('F55: whatever the disk does', { concurrency: 2 }, () => {
  it('a spool that is missing, a file, or not to be written: exit 0 and not a word', async t => {
    const folder = createHookFolder(t)
    fs.writeFileSync(path.join(folder, 'file'), '')
    for (const spool of [path.join(folder, 'none'), path.join(folder, 'file'), '/proc/1', '/dev/full'])
      for (const hook of ['record', 'stop']) {
        const line = `/bin/sh "$DISPATCH_HOOKS/${hook}"`
        const ended = await runHook(
          line,
          { DISPATCH_HOOK_INBOX: spool, DISPATCH_ROLE: 'orchestrator' },
          endInput('{}'.repeat(99_999)),
        )
        assert.deepEqual({ ...ended, seconds: 0 }, { ...fine, seconds: 0 }, `${hook} ${spool}`)
      }
    assert.deepEqual(fs.readdirSync(folder).sort(), ['file', 'hook-inbox'])
  })

  // A pipe that nobody reads stalls whoever opens it, as a disk does that has stopped: `exec` keeps the number of the
  // process, so the name that the recorder will open is known.
  const stalled = 'for n in 0 1 2 3 4; do mkfifo "$DISPATCH_HOOK_INBOX/.$(($(date +%s) + n))-$$-"; done; exec'

  it('a disk that stalls is not waited for, and when it goes on nothing is lost', async t => {
    const spool = path.join(createHookFolder(t), 'hook-inbox')
    const ended = await runHook(
      `${stalled} ${record}`,
      { PATH: '/usr/bin:/bin', DISPATCH_HOOK_INBOX: spool },
      endInput('{"late":1}'),
    )
    assert.deepEqual({ ...ended, seconds: 0 }, { ...fine, seconds: 0 })
    assert.ok(ended.seconds < 4, `${ended.seconds} s`)
    assert.deepEqual(listSpoolFiles(spool), [])
    const pipes = fs.readdirSync(spool).map(name => path.join(spool, name))
    const read = await runProgram('/bin/sh', ['-c', 'for pipe; do timeout 1 cat "$pipe"; done', 'sh', ...pipes])
    assert.equal(read.stdout, '{"late":1}')
    await gone(spool)
  })

  it('a hold that cannot be read lets the turn end; a guard that cannot be read refuses', async t => {
    const folder = createHookFolder(t)
    const pipe = path.join(folder, 'stalls')
    await runProgram('mkfifo', [pipe])
    const env = { DISPATCH_HOOK_INBOX: path.join(folder, 'hook-inbox'), DISPATCH_ROLE: 'orchestrator' }
    const stop = await runHook('/bin/sh "$DISPATCH_HOOKS/stop"', { ...env, DISPATCH_STOP_GATE: pipe }, endInput('{}'))
    assert.deepEqual({ ...stop, seconds: 0 }, { ...fine, seconds: 0 })
    assert.ok(stop.seconds < 4, `${stop.seconds} s`)
    assert.equal(listSpoolFiles(env.DISPATCH_HOOK_INBOX).length, 1)
    const asked = '{"tool_input":{"file_path":"/a/b"}}'
    const guard = await runHook(
      '/bin/sh "$DISPATCH_HOOKS/guard"',
      { ...env, DISPATCH_WRITE_ALLOWLIST: pipe },
      endInput(asked),
    )
    assert.equal(guard.code, 0)
    assert.match(guard.output, /^\{.*"permissionDecision":"deny".*not be looked up in time.*\}\n$/)
    assert.ok(guard.seconds < 6, `${guard.seconds} s`)
    await runProgram('/bin/sh', ['-c', ': >"$1"', 'sh', pipe], { timeoutMs: 3000 }) // Whoever still waits for it goes on.
    await gone(folder)
  })
})

describe('F57: whatever the environment lacks', { concurrency: 2 }, () => {
  const settings = parseJsonc(fs.readFileSync(path.join(installFolder, 'settings.json'), 'utf8')).value as {
    hooks: Record<string, { hooks: { command: string; timeout: number }[] }[]>
  }
  const commands = Object.entries(settings.hooks).flatMap(([event, entries]) =>
    entries.flatMap(entry => entry.hooks.map(hook => ({ event, ...hook }))),
  )

  it('every command of settings.json has a time limit and works with an empty PATH and without one', async t => {
    const folder = createHookFolder(t)
    fs.writeFileSync(path.join(folder, 'guard'), '/a/*\n')
    for (const { event, command, timeout } of commands)
      for (const changes of [{}, { PATH: '' }] as Record<string, string>[]) {
        assert.ok(timeout > 0 && timeout <= 10, event)
        const env = {
          DISPATCH_HOOK_INBOX: path.join(folder, 'hook-inbox'),
          DISPATCH_WRITE_ALLOWLIST: path.join(folder, 'guard'),
          ...changes,
        }
        const ended = await runHook(command, env, endInput(`{"hook_event_name":"${event}","file_path":"/a/b"}`))
        assert.deepEqual({ ...ended, seconds: 0 }, { ...fine, seconds: 0 }, event)
      }
    assert.equal(
      listSpoolFiles(path.join(folder, 'hook-inbox')).length,
      2 * (commands.length - 1),
      'each but the guard leaves its word',
    )
  })

  it('when our hooks are gone, an agent goes on: only a write is refused', async t => {
    const folder = createHookFolder(t)
    for (const { event, command } of commands) {
      const ended = await runHook(command, { DISPATCH_HOOKS: path.join(folder, 'gone') }, endInput('{}'))
      if (event === 'PreToolUse') assert.notEqual(ended.code, 0)
      else assert.deepEqual({ ...ended, seconds: 0 }, { ...fine, seconds: 0 }, event)
    }
  })
})

it('F56: what a session of ours is to the hook for other sessions, and the other way round', async t => {
  const folder = createHookFolder(t)
  const other = path.join(folder, 'elsewhere')
  fs.mkdirSync(other)
  const line = `/bin/sh "$DISPATCH_HOOKS/external" "${other}"`
  await runHook(
    line,
    { DISPATCH_SESSION: 'ours', DISPATCH_HOOK_INBOX: path.join(folder, 'hook-inbox') },
    endInput('{"n":1}'),
  )
  assert.deepEqual([listSpoolFiles(other), listSpoolFiles(path.join(folder, 'hook-inbox'))], [[], []])
  await runHook(line, {}, endInput('{"n":2}'))
  assert.equal(listSpoolFiles(other).length, 1)
  for (let count = 0; count < 500; count++) fs.writeFileSync(path.join(other, `0-${count}-`), '')
  await runHook(line, {}, endInput('{"n":3}'))
  assert.equal(listSpoolFiles(other).length, 501, 'nobody takes them up, so no more are left')
})

/** Nothing of a hook lives on. */
async function gone(folder: string): Promise<void> {
  for (const until = Date.now() + 5000; Date.now() < until; ) {
    if (findProcesses(folder).length === 0) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.deepEqual(findProcesses(folder), [], `nobody of ${hooksFolder} lives on`)
}
