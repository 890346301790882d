import { helloContract, helloScenarioBase, remainingTurns } from '../hello.ts'
import { bash, put, type Scenario, say } from '../scenario.ts'

const [spawning, waiting, ...rest] = remainingTurns

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'an orchestrator that ends its turn again and again before there is a verdict is held, and goes on',
  orchestrator: [
    say('I will begin tomorrow.'),
    put('contract.md', helloContract),
    bash('contract check'),
    say('The contract holds.'),
    spawning ?? say(''),
    say('The worker is on its way.'),
    waiting ?? say(''),
    say('The worker says it is done.'),
    ...rest,
  ],
  endStates: ['PASS'],
}
