import { helloContract, helloScenarioBase, remainingTurns } from '../hello.ts'
import { bash, put, type Scenario, spawn } from '../scenario.ts'

const vagueContract = `
# Contract: a script that says hello

## C1 — The script is good
- judged
`

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'a contract without a check is rejected until it has one',
  orchestrator: [
    put('contract.md', vagueContract),
    bash('contract check'),
    spawn('code --clauses C1', 'Write a good script.'),
    put('contract.md', helloContract),
    bash('contract check'),
    ...remainingTurns,
  ],
  endStates: ['PASS'],
}
