import { helloContract, helloScenarioBase, remainingTurns } from '../hello.ts'
import { bash, put, type Scenario } from '../scenario.ts'

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'a check with typographic quotes is rejected before a worker costs money',
  orchestrator: [
    put('contract.md', helloContract.replace('`sh hello.sh`', '`sh hello.sh | grep “hello”`')),
    bash('contract check'),
    put('contract.md', helloContract),
    bash('contract check'),
    ...remainingTurns,
  ],
  endStates: ['PASS'],
}
