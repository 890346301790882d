import { contractTurns, helloScenarioBase, honestWorkerTurns, remainingTurns } from '../hello.ts'
import { bash, type Scenario, spawn } from '../scenario.ts'

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'a worker that never ends is stopped at its time limit, and another does the work',
  settings: { WORKER_TIMEOUT_SEC: '12' },
  orchestrator: [
    ...contractTurns,
    spawn('code --name endless --clauses C1', 'Write hello.sh: it prints hello.'),
    bash('wait-workers'),
    ...remainingTurns,
  ],
  workers: { endless: [bash('echo half > hello.sh'), { hang: true }], '*': honestWorkerTurns },
}
