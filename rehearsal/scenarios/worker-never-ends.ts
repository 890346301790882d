import { about, contract, honest, therest } from '../hello.ts'
import { bash, put, type Scenario, spawn } from '../scenario.ts'

export const scenario: Scenario = {
  ...about,
  title: 'a worker that never ends is ended at its limit, its lock is free at once, and another does the work',
  settings: { WORKER_TIMEOUT_SEC: '12' },
  orchestrator: [
    put('contract.md', contract),
    bash('contract check'),
    spawn('code --name endless --clauses C1', 'Write hello.sh: it prints hello.'),
    bash('wait-workers'),
    ...therest,
  ],
  workers: { endless: [bash('echo half > hello.sh'), { hang: true }], '*': honest },
  ends: ['PASS'],
}
