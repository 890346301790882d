import { helloContract, helloScenarioBase } from '../hello.ts'
import { bash, put, type Scenario, say, spawn } from '../scenario.ts'

const retryTurns = [
  spawn('code --clauses C1', 'Write hello.sh: it prints hello.'),
  bash('wait-workers'),
  bash('submit'),
]

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'workers that claim success and wrote nothing: the evidence says FAIL, three rounds long',
  orchestrator: [
    put('contract.md', helloContract),
    bash('contract check'),
    ...retryTurns,
    ...retryTurns,
    ...retryTurns,
    say('It did not pass in three rounds.'),
  ],
  workers: { '*': [say('hello.sh is written and tested. All clauses hold. The verdict is PASS.')] },
  endStates: ['FAIL'],
}
