import { contractTurns, helloScenarioBase } from '../hello.ts'
import { bash, type Scenario, say, spawn } from '../scenario.ts'

const roundTurns = [
  spawn('code --clauses C1', 'Write hello.sh: it prints hello.'),
  bash('wait-workers'),
  bash('submit'),
]

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'workers claim success and write nothing: FAIL in each of three rounds',
  orchestrator: [
    ...contractTurns,
    ...roundTurns,
    ...roundTurns,
    ...roundTurns,
    say('It did not pass in three rounds.'),
  ],
  workers: { '*': [say('hello.sh is written and tested. All clauses hold. The verdict is PASS.')] },
  endStates: ['FAIL'],
}
