/** Hooks with broken input, a broken disk and a poor environment. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { installFolder } from '#host/config'
import { isErrno } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { parseJsonc } from '#host/json.ts'
import { findProcesses } from '../fixtures/rig.ts'
import { createHookFolder, endInput, hooksFolder, listInboxFiles, runHook } from '../fixtures/run-hook.ts'
import { waitUntil } from '../fixtures/scratch.ts'

const record = '/bin/sh "$DISPATCH_HOOKS/record"'
const silentSuccess = { code: 0, output: '' }
const shells = ['/bin/sh', '/bin/dash', '/bin/bash', '/usr/bin/busybox']

function whyNoShell(shell: string): string | false {
  return !fs.existsSync(shell) && `${shell} is not installed: \`apt-get install ${path.basename(shell)}\``
}

/** The command that runs a shell as `sh`. */
function formatShellCommand(shell: string): string {
  const base = path.basename(shell)
  return base === 'busybox' ? `${shell} sh` : base === 'bash' ? `${shell} --posix` : shell
}

describe('any input', { concurrency: 2 }, () => {
  for (const shell of shells)
    it(`${shell}: input that never ends is cut, and what came is kept`, { skip: whyNoShell(shell) }, async t => {
      const inbox = path.join(createHookFolder(t), 'hook-inbox')
      const line = `exec ${formatShellCommand(shell)} "$DISPATCH_HOOKS/record"`
      const half = await runHook(
        line,
        { DISPATCH_HOOK_INBOX: inbox },
        input => void input.write('{"hook_event_name":"Stop"'),
      )
      assert.deepEqual(half, silentSuccess)
      const [left = 'nothing'] = listInboxFiles(inbox)
      assert.equal(fs.readFileSync(path.join(inbox, left), 'utf8'), '{"hook_event_name":"Stop"')
      const much = await runHook(line, { DISPATCH_HOOK_INBOX: inbox }, input => void input.write('x'.repeat(100_000)))
      assert.deepEqual(much, silentSuccess)
      assert.deepEqual(
        listInboxFiles(inbox)
          .map(name => fs.statSync(path.join(inbox, name)).size)
          .sort(),
        [25, 65_536],
      )
      const none = await runHook(line, { DISPATCH_HOOK_INBOX: inbox }, () => undefined)
      assert.deepEqual(none, silentSuccess)
      const shut = await runHook(`${line} <&-`, { DISPATCH_HOOK_INBOX: inbox }, () => undefined)
      assert.deepEqual(shut, silentSuccess)
      await waitForNoProcess(inbox)
    })
})

describe('any disk', { concurrency: 2 }, () => {
  it('an inbox that is missing, a file or read-only: exit 0 and no output', async t => {
    const folder = createHookFolder(t)
    fs.writeFileSync(path.join(folder, 'file'), '')
    for (const inbox of [path.join(folder, 'none'), path.join(folder, 'file'), '/proc/1', '/dev/full'])
      for (const hook of ['record', 'stop']) {
        const line = `/bin/sh "$DISPATCH_HOOKS/${hook}"`
        const ended = await runHook(
          line,
          { DISPATCH_HOOK_INBOX: inbox, DISPATCH_ROLE: 'orchestrator' },
          endInput('{}'.repeat(99_999)),
        )
        assert.deepEqual(ended, silentSuccess, `${hook} ${inbox}`)
      }
    assert.deepEqual(fs.readdirSync(folder).sort(), ['file', 'hook-inbox'])
  })

  // Opening a pipe without a reader blocks, as a stalled disk does. `exec` keeps the process id, so the name that the
  // recorder will open is known.
  const stalled =
    'now=$(date +%s); for n in $(seq 0 59); do mkfifo "$DISPATCH_HOOK_INBOX/.$((now + n))-$$-"; done; exec'

  it('a stalled disk delays nothing, and nothing is lost when it recovers', async t => {
    const inbox = path.join(createHookFolder(t), 'hook-inbox')
    const ended = await runHook(
      `${stalled} ${record}`,
      { PATH: '/usr/bin:/bin', DISPATCH_HOOK_INBOX: inbox },
      endInput('{"late":1}'),
    )
    assert.deepEqual(ended, silentSuccess)
    assert.deepEqual(listInboxFiles(inbox), [])
    const pipes = fs.readdirSync(inbox).map(name => openPipe(path.join(inbox, name)))
    await waitUntil(() => pipes.map(readPipe).join('') === '{"late":1}', 'the recorder writes')
    pipes.forEach(pipe => void fs.closeSync(pipe))
    await waitForNoProcess(inbox)
  })

  it('an unreadable stop gate lets the turn end, an unreadable allowlist refuses', async t => {
    const folder = createHookFolder(t)
    const pipe = path.join(folder, 'stalls')
    await runProgram('mkfifo', [pipe])
    const env = { DISPATCH_HOOK_INBOX: path.join(folder, 'hook-inbox'), DISPATCH_ROLE: 'orchestrator' }
    const stop = await runHook('/bin/sh "$DISPATCH_HOOKS/stop"', { ...env, DISPATCH_STOP_GATE: pipe }, endInput('{}'))
    assert.deepEqual(stop, silentSuccess)
    assert.equal(listInboxFiles(env.DISPATCH_HOOK_INBOX).length, 1)
    const input = '{"tool_input":{"file_path":"/a/b"}}'
    const guard = await runHook(
      '/bin/sh "$DISPATCH_HOOKS/guard"',
      { ...env, DISPATCH_WRITE_ALLOWLIST: pipe },
      endInput(input),
    )
    assert.equal(guard.code, 0)
    assert.match(guard.output, /^\{.*"permissionDecision":"deny".*\}\n$/)
    fs.closeSync(openPipe(pipe)) // Releases what still waits for the pipe.
    await waitForNoProcess(folder)
  })
})

describe('any environment', { concurrency: 2 }, () => {
  const settings = parseJsonc(fs.readFileSync(path.join(installFolder, 'settings.json'), 'utf8')).value as {
    hooks: Record<string, { hooks: { command: string; timeout: number }[] }[]>
  }
  const commands = Object.entries(settings.hooks).flatMap(([event, entries]) =>
    entries.flatMap(entry => entry.hooks.map(hook => ({ event, ...hook }))),
  )

  it('every hook command has a timeout and works with an empty PATH', async t => {
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
        assert.deepEqual(ended, silentSuccess, event)
      }
    assert.equal(
      listInboxFiles(path.join(folder, 'hook-inbox')).length,
      2 * (commands.length - 1),
      'every hook but the guard leaves a file',
    )
  })

  it('without the hook files only a write is refused', async t => {
    const folder = createHookFolder(t)
    for (const { event, command } of commands) {
      const ended = await runHook(command, { DISPATCH_HOOKS: path.join(folder, 'gone') }, endInput('{}'))
      if (event === 'PreToolUse') assert.notEqual(ended.code, 0)
      else assert.deepEqual(ended, silentSuccess, event)
    }
  })
})

it('the external hook records other sessions only, up to 500 files', async t => {
  const folder = createHookFolder(t)
  const external = path.join(folder, 'external-events')
  fs.mkdirSync(external)
  const line = `/bin/sh "$DISPATCH_HOOKS/external" "${external}"`
  await runHook(
    line,
    { DISPATCH_SESSION: 's', DISPATCH_HOOK_INBOX: path.join(folder, 'hook-inbox') },
    endInput('{"n":1}'),
  )
  assert.deepEqual([listInboxFiles(external), listInboxFiles(path.join(folder, 'hook-inbox'))], [[], []])
  await runHook(line, {}, endInput('{"n":2}'))
  assert.equal(listInboxFiles(external).length, 1)
  for (let count = 0; count < 500; count++) fs.writeFileSync(path.join(external, `0-${count}-`), '')
  await runHook(line, {}, endInput('{"n":3}'))
  assert.equal(listInboxFiles(external).length, 501, 'no more are left while nothing reads them')
})

/** Wait until no process has this folder in its command line. */
async function waitForNoProcess(folder: string): Promise<void> {
  await waitUntil(() => findProcesses(folder).length === 0, `no process of ${hooksFolder} is running`)
}

/** Open a named pipe for reading and writing, which never blocks. */
function openPipe(pipe: string): number {
  return fs.openSync(pipe, fs.constants.O_RDWR | fs.constants.O_NONBLOCK)
}

/** What a pipe contains now. */
function readPipe(pipe: number): string {
  const buffer = Buffer.alloc(100)
  try {
    return buffer.toString('utf8', 0, fs.readSync(pipe, buffer))
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return '' // It is empty.
    throw error
  }
}
