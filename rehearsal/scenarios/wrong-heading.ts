import { helloContract, helloScenarioBase, remainingTurns } from '../hello.ts'
import { bash, put, type Scenario } from '../scenario.ts'
export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'a contract whose clauses have the wrong headings is sent back with line and remedy, and mended',
  orchestrator: [
    put('contract.md', helloContract.replace('## C1 — Running', '### Clause 1: Running')),
    bash('contract check'),
    put('contract.md', helloContract),
    bash('contract check'),
    ...remainingTurns,
  ],
  endStates: ['PASS'],
}
