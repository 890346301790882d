import fs from 'node:fs'
import { helloContract, helloTask, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, say, spawn } from '#rehearsal/scenario.ts'
import { openRig, type Rig } from '../fixtures/rig.ts'

/**
 * `npm run bench:weight`: the bytes that dispatch adds to each role's first request, and the memory of its processes beside
 * claude's: resident and proportional (a page shared by n processes counts 1/n for each). Linux only.
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
  await rig.waitUntil('both workers have sent a request', () =>
    ['coder', 'writer'].every(role => rig.models.requests.some(request => request.role === role)),
  )
  await new Promise(resolve => setTimeout(resolve, 3000))
  printBytes(rig)
  printMemory(rig)
} finally {
  await rig.close()
}

function printBytes(rig: Rig): void {
  const { paths } = rig.readSession()
  console.log('role           first request   system prompt   of which task, contract')
  for (const [role, systemPrompt, includedFile] of [
    ['orchestrator', paths.systemPrompt, paths.task],
    ['coder', paths.worker('coder').systemPrompt, paths.contract],
    ['writer', paths.worker('writer').systemPrompt, paths.contract],
  ] as const) {
    const request = rig.models.requests.find(request => request.role === role)?.body ?? ''
    console.log(
      `${role.padEnd(14)} ${String(Buffer.byteLength(request)).padStart(13)} ${String(fs.statSync(systemPrompt).size).padStart(15)} ${String(fs.statSync(includedFile).size).padStart(13)}`,
    )
  }
}

function printMemory(rig: Rig): void {
  console.log('\nprocess                                       resident MB   proportional MB')
  for (const { pid, command } of rig.listProcesses()) {
    const file = `/proc/${pid}/smaps_rollup`
    if (!fs.existsSync(file)) continue // It has just ended.
    const rollup = fs.readFileSync(file, 'latin1')
    const megabytes = (name: string) =>
      (Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(rollup)?.[1]) / 1024).toFixed(1)
    console.log(
      `${describeProcess(command).padEnd(45)} ${megabytes('Rss').padStart(11)} ${megabytes('Pss').padStart(17)}`,
    )
  }
}

function describeProcess(command: string): string {
  if (/\/runner\.[jt]s /.test(command)) return 'dispatch: runner (one per session)'
  if (/\/dispatch\.[jt]s watchdog/.test(command)) return 'dispatch: watchdog (one per machine)'
  if (command.includes('agents/worker.sh')) return 'dispatch: worker.sh (one per worker)'
  if (command.startsWith('tail')) return 'dispatch: tail in a window (one per worker)'
  if (command.startsWith('tmux')) return 'tmux server (one per machine)'
  if (command.includes('request')) return 'dispatch: a tool that waits'
  if (/claude/.test(command.split(' ')[0] ?? ''))
    return command.includes(' -p ') ? 'claude, worker' : 'claude, orchestrator'
  return command.slice(0, 44)
}
