import fs from 'node:fs'
import { helloContract, helloTask, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, say, spawn } from '#rehearsal/scenario.ts'
import { openRig, type Rig } from '../fixtures/rig.ts'

/**
 * `npm run bench:weight`: what we add to each role's first request, in bytes, and what our own processes weigh beside
 * claude's, in resident and in proportional memory (a page shared by n processes counts 1/n for each). Linux only.
 */
const scenario: Scenario = {
  title: '',
  task: helloTask,
  workers: { coder: [bash('sleep 20'), say('done')], writer: [{ hang: true }] },
  orchestrator: [
    put('contract.md', helloContract),
    spawn('code --name coder --clauses C1', 'Write hello.sh.'),
    spawn('rw --name writer --clauses C2 --files README.md', 'Write the README.'),
    ...remainingTurns.slice(1),
  ],
  endStates: [],
}

const rig = await openRig(scenario)
try {
  await rig.dispatch([helloTask])
  await rig.waitUntil(
    'both workers speak to their model',
    () => ['coder', 'writer'].every(role => rig.models.requests.some(seen => seen.role === role)),
    60,
  )
  await new Promise(resolve => setTimeout(resolve, 3000))
  tellBytes(rig)
  tellMemory(rig)
} finally {
  await rig.close()
}

function tellBytes(rig: Rig): void {
  const { paths } = rig.readSession()
  console.log('role           first request   our orders   of which task, contract')
  for (const [role, orders, given] of [
    ['orchestrator', paths.systemPrompt, paths.task],
    ['coder', paths.worker('coder').systemPrompt, paths.contract],
    ['writer', paths.worker('writer').systemPrompt, paths.contract],
  ] as const) {
    const request = rig.models.requests.find(seen => seen.role === role)?.body ?? ''
    console.log(
      `${role.padEnd(14)} ${String(Buffer.byteLength(request)).padStart(13)} ${String(fs.statSync(orders).size).padStart(12)} ${String(fs.statSync(given).size).padStart(13)}`,
    )
  }
}

function tellMemory(rig: Rig): void {
  console.log('\nprocess                                       resident MB   proportional MB')
  for (const { pid, command } of rig.listProcesses()) {
    const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    const megabytes = (name: string) =>
      (Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(rollup)?.[1]) / 1024).toFixed(1)
    console.log(`${nameOf(command).padEnd(45)} ${megabytes('Rss').padStart(11)} ${megabytes('Pss').padStart(17)}`)
  }
}

function nameOf(command: string): string {
  if (/\/runner\.[jt]s /.test(command)) return 'ours: runner (one a session)'
  if (/\/dispatch\.[jt]s watchdog/.test(command)) return 'ours: watchdog (one a machine)'
  if (command.includes('agents/worker.sh')) return 'ours: worker.sh (one a worker)'
  if (command.startsWith('tail')) return 'ours: tail, what a window shows (one a worker)'
  if (command.startsWith('tmux')) return 'tmux server (one a machine)'
  if (command.includes('request')) return 'ours: a waiting tool of an agent'
  if (/claude/.test(command.split(' ')[0] ?? ''))
    return command.includes(' -p ') ? 'claude, worker' : 'claude, orchestrator'
  return command.slice(0, 44)
}
