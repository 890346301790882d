/** What happens beside a sandbox: its launcher dies, or the terminal changes its size. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { readPlaceTag } from '#host/process'
import { buildPolicy } from '#host/sandbox'
import { buildInnerScript } from '#host/sandbox/command-line.ts'
import { removeStaleSandboxes } from '#host/sandbox/lifecycle.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { createTestSandbox, launcher } from '../../fixtures/host/test-sandbox.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'
import { whyNoBubblewrap, whyNotLinux } from '../../fixtures/skip-reasons.ts'

test('when the launcher dies, everything inside dies', { skip: whyNoBubblewrap }, async t => {
  const { writePolicy, sh, folder } = createTestSandbox(t)
  const marker = path.join(folder, 'out/alive')
  const [node = '', ...args] = [
    ...launcher,
    writePolicy({ allowedHosts: ['example.com:443'] }),
    '--',
    '/bin/sh',
    '-c',
    `while :; do date +%s%N >'${marker}'; sleep 0.05; done`,
  ]
  const child = spawn(node, args, { env: { PATH: process.env['PATH'] ?? '' }, stdio: 'ignore' })
  await waitUntil(() => fs.existsSync(marker) && fs.readFileSync(marker, 'utf8') !== '', 'the command runs')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const listProcesses = async () => (await runProgram('ps', ['-eo', 'args'])).stdout
  await waitUntil(async () => !(await listProcesses()).includes(marker), 'the command is gone')
  const listLeftovers = () =>
    fs.readdirSync(os.tmpdir()).filter(name => name.startsWith(`dsp${readPlaceTag()}-${child.pid}-`))
  await sh('true') // The next sandbox, of any test, removes what is left.
  assert.deepEqual(listLeftovers(), [])
  const relays = await listProcesses()
  assert.ok(!relays.includes(`-${child.pid}-`), relays)
})

test('on macOS, too, nothing outlives the launcher', { skip: whyNotLinux }, async t => {
  const folder = createScratchFolder(t)
  const marker = path.join(folder, 'alive')
  const policy = buildPolicy('check', { folder, tempFolder: folder })
  const loop = `(while :; do date +%s%N >'${marker}'; sleep 0.05; done) & wait`
  const commandLine = `/bin/sh -c ${quoteForShell(buildInnerScript(policy, ['/bin/sh', '-c', loop], folder, 'darwin'))}`
  const supervise = JSON.stringify(import.meta.resolve('#host/sandbox/supervise.ts'))
  const program = `const { superviseSandbox } = await import(${supervise})
await superviseSandbox(${JSON.stringify(commandLine)}, { PATH: process.env.PATH }, 'darwin')`
  // In a group of its own, all of which ends: only Seatbelt keeps what is outside.
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore', detached: true })
  await waitUntil(() => fs.existsSync(marker) && fs.readFileSync(marker, 'utf8') !== '', 'the command runs')
  child.kill('SIGKILL')
  const listProcesses = async () => (await runProgram('ps', ['-eo', 'args'])).stdout
  await waitUntil(async () => !(await listProcesses()).includes(marker), 'the command is gone')
})

test('only folders of this place are removed: elsewhere a pid means another process', { skip: whyNotLinux }, t => {
  const folder = createScratchFolder(t)
  const noPid = 2 ** 22 + 1
  const names = [
    `dsp-0a0a0a0a-${noPid}-abcdef`,
    `dsp${readPlaceTag()}-${noPid}-abcdef`,
    `dsp${readPlaceTag()}-1-abcdef`,
  ]
  for (const name of names) fs.mkdirSync(path.join(folder, name))
  removeStaleSandboxes(folder)
  assert.deepEqual(
    names.filter(name => fs.existsSync(path.join(folder, name))),
    [names[0], names[2]],
  )
})

test('a changed terminal size reaches the command', { skip: whyNoBubblewrap }, async t => {
  const { writePolicy, folder } = createTestSandbox(t)
  const socket = path.join(folder, 't')
  const tmux = (...args: string[]) => runProgram('tmux', ['-S', socket, '-f', '/dev/null', ...args])
  const script = `trap 'stty size >size' WINCH; echo ready >size; while :; do sleep 0.05; done`
  try {
    await tmux(
      'new-session',
      '-d',
      '-s',
      'a',
      '-x',
      '100',
      '-y',
      '30',
      ...launcher,
      writePolicy(),
      '--',
      '/bin/sh',
      '-c',
      script,
    )
    const size = path.join(folder, 'out/size')
    await waitUntil(() => fs.existsSync(size), 'the command runs')
    await tmux('set-option', '-g', 'window-size', 'manual')
    await tmux('resize-window', '-t', 'a', '-x', '70', '-y', '25')
    await waitUntil(() => fs.readFileSync(size, 'utf8').trim() === '25 70', 'it has the new size')
  } finally {
    await tmux('kill-server') // Before the folder with its socket is removed.
  }
})
