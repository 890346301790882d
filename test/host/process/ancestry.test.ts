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
const kin = (changes: Partial<ProcessAncestor> = {}): ProcessAncestor => ({
  pid: 10,
  parentPid: 9,
  terminal: '/dev/pts/1',
  environment: ['PATH=/bin', 'HOME=/h'],
  hasNoNewPrivileges: false,
  ...changes,
})

it('a process is an agent’s by its environment, by one above it, by its terminal, or by the kernel', () => {
  const shell = kin({ pid: 9, parentPid: 1 })
  assert.equal(explainAgent([kin(), shell], marks), undefined)
  const cases: [ProcessAncestor[], RegExp][] = [
    [[], /not to be seen/],
    [[kin({ environment: ['CLAUDECODE=1'] }), shell], /CLAUDECODE is set in its environment/],
    [
      [kin(), { ...shell, environment: ['A=b', 'DISPATCH_SESSION=x'] }],
      /DISPATCH_SESSION is set in process 9 above it/,
    ],
    [[kin({ terminal: '/dev/pts/4' }), shell], /terminal of dispatch's own/],
    [[kin(), { ...shell, terminal: '/dev/pts/4' }], /terminal of dispatch's own/],
    [[kin({ hasNoNewPrivileges: true }), shell], /the kernel says so/],
  ]
  for (const [lineage, sign] of cases) assert.match(explainAgent(lineage, marks) ?? '', sign)
  assert.equal(
    explainAgent([kin({ hasNoNewPrivileges: true }), shell], { ...marks, hasNoNewPrivileges: false }),
    undefined,
    'all are bound here',
  )
  assert.equal(
    explainAgent([kin({ environment: ['X_DISPATCH_SESSION=1', 'Y=CLAUDECODE=1'] }), shell], marks),
    undefined,
  )
})

it('Linux: parent and terminal in /proc/<pid>/stat, whatever the name of the process', () => {
  assert.deepEqual(parseLinuxStat('77 (a) b (c) S 12 77 77 34819 77 4194304'), {
    parentPid: 12,
    terminal: '/dev/pts/3',
  })
  assert.deepEqual(parseLinuxStat('77 (x) S 12 77 77 0 -1 4194304'), { parentPid: 12, terminal: undefined })
  assert.deepEqual(parseLinuxStat('77 (x) S 1 77 77 1025 77 0'), { parentPid: 1, terminal: 'device 4:1' })
})

it('Darwin: a row of ps with the environment behind the command', () => {
  const row = '  812   790 ttys003 -zsh TERM_PROGRAM=Apple_Terminal SHELL=/bin/zsh DISPATCH_SESSION=2026-11-20-x-a3f9\n'
  const found = parseDarwinAncestor(row)
  assert.deepEqual([found?.pid, found?.parentPid, found?.terminal], [812, 790, '/dev/ttys003'])
  assert.match(explainAgent([found ?? kin()], marks) ?? '', /DISPATCH_SESSION/)
  assert.equal(parseDarwinAncestor('  1     0 ??      /sbin/launchd\n')?.terminal, undefined)
  assert.equal(parseDarwinAncestor('\n'), undefined)
})

it('this very process has ancestors', async () => {
  const lineage = await listAncestors(process.pid)
  assert.equal(lineage[0]?.pid, process.pid)
  assert.equal(lineage[0]?.parentPid, process.ppid)
  assert.ok(lineage.length > 1)
})

it('what is bound stays so, however it leaves its family (Linux)', async t => {
  if (process.platform !== 'linux') return t.skip('no no_new_privs here')
  const script = path.join(os.tmpdir(), `dispatch-bound-${process.pid}.sh`)
  fs.writeFileSync(script, '(env -i setsid sh -c "sleep 0.2; grep NoNewPrivs /proc/self/status" &)\n')
  const [program = '', ...words] = buildUnprivilegedCommand(script)
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', chunk => {
    out += chunk
  })
  await once(child, 'close')
  fs.rmSync(script)
  assert.match(out, /NoNewPrivs:\s*1/)
  return undefined
})
