import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { it } from 'node:test'
import { buildUnprivilegedCommand, explainAgent, listAncestors } from '#host/process'
import { type ProcessAncestor, parseDarwinAncestor, parseLinuxStat } from '#host/process/ancestry.ts'

const marks = { variableNames: ['DISPATCH_SESSION', 'CLAUDECODE'], terminals: ['/dev/pts/4'], hasNoNewPrivileges: true }
const createAncestor = (changes: Partial<ProcessAncestor> = {}): ProcessAncestor => ({
  pid: 10,
  parentPid: 9,
  terminal: '/dev/pts/1',
  environment: ['PATH=/bin', 'HOME=/h'],
  hasNoNewPrivileges: false,
  ...changes,
})

it('an agent is known by environment, ancestor, terminal or kernel', () => {
  const shell = createAncestor({ pid: 9, parentPid: 1 })
  assert.equal(explainAgent([createAncestor(), shell], marks), undefined)
  const cases: [ProcessAncestor[], RegExp][] = [
    [[], /cannot be read/],
    [[createAncestor({ environment: ['CLAUDECODE=1'] }), shell], /CLAUDECODE is set in its environment/],
    [
      [createAncestor(), { ...shell, environment: ['A=b', 'DISPATCH_SESSION=x'] }],
      /DISPATCH_SESSION is set in process 9 above it/,
    ],
    [[createAncestor({ terminal: '/dev/pts/4' }), shell], /terminal that dispatch opened/],
    [[createAncestor(), { ...shell, terminal: '/dev/pts/4' }], /terminal that dispatch opened/],
    [[createAncestor({ hasNoNewPrivileges: true }), shell], /no_new_privs/],
  ]
  for (const [ancestors, reason] of cases) assert.match(explainAgent(ancestors, marks) ?? '', reason)
  assert.equal(
    explainAgent([createAncestor({ hasNoNewPrivileges: true }), shell], { ...marks, hasNoNewPrivileges: false }),
    undefined,
    'here every process has no_new_privs',
  )
  assert.equal(
    explainAgent([createAncestor({ environment: ['X_DISPATCH_SESSION=1', 'Y=CLAUDECODE=1'] }), shell], marks),
    undefined,
  )
})

it('Linux: parent and terminal in /proc/<pid>/stat, for any process name', () => {
  assert.deepEqual(parseLinuxStat('77 (a) b (c) S 12 77 77 34819 77 4194304'), {
    parentPid: 12,
    terminal: '/dev/pts/3',
  })
  assert.deepEqual(parseLinuxStat('77 (x) S 12 77 77 0 -1 4194304'), { parentPid: 12, terminal: undefined })
  assert.deepEqual(parseLinuxStat('77 (x) S 1 77 77 1025 77 0'), { parentPid: 1, terminal: 'device 4:1' })
})

it('macOS: a row of ps, with the environment after the command', () => {
  const row = '  812   790 ttys003 -zsh TERM_PROGRAM=Apple_Terminal SHELL=/bin/zsh DISPATCH_SESSION=2026-11-20-x-a3f9\n'
  const ancestor = parseDarwinAncestor(row)
  assert.deepEqual([ancestor?.pid, ancestor?.parentPid, ancestor?.terminal], [812, 790, '/dev/ttys003'])
  assert.match(explainAgent([ancestor ?? createAncestor()], marks) ?? '', /DISPATCH_SESSION/)
  assert.equal(parseDarwinAncestor('  1     0 ??      /sbin/launchd\n')?.terminal, undefined)
  assert.equal(parseDarwinAncestor('\n'), undefined)
})

it('this process has ancestors', async () => {
  const ancestors = await listAncestors(process.pid)
  assert.equal(ancestors[0]?.pid, process.pid)
  assert.equal(ancestors[0]?.parentPid, process.ppid)
  assert.ok(ancestors.length > 1)
})

it('no_new_privs stays set in a daemon with an empty environment (Linux)', async t => {
  if (process.platform !== 'linux') return t.skip('only Linux has no_new_privs: run it there')
  const script = path.join(os.tmpdir(), `dispatch-bound-${process.pid}.sh`)
  const daemon = 'while kill -0 $$; do sleep 0.05; done 2>/dev/null; grep NoNewPrivs /proc/self/status'
  fs.writeFileSync(script, `(env -i setsid sh -c "${daemon}" &)\n`) // It outlives the shell of the script, which is $$.
  const [program = '', ...args] = buildUnprivilegedCommand(script)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  await once(child, 'close')
  fs.rmSync(script)
  assert.match(output, /NoNewPrivs:\s*1/)
  return undefined
})
