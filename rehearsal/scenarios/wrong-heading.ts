import { helloContract, helloScenarioBase, remainingTurns } from '../hello.ts'
import { bash, put, type Scenario } from '../scenario.ts'

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'a contract with wrong headings is rejected with line and fix',
  orchestrator: [
    put('contract.md', helloContract.replace('## C1 — Running', '### Clause 1: Running')),
    bash('contract check'),
    put('contract.md', helloContract),
    bash('contract check'),
    ...remainingTurns,
  ],
  endStates: ['PASS'],
}
