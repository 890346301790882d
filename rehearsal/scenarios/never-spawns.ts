import { helloContract, helloScenarioBase } from '../hello.ts'
import { put, type Scenario, say } from '../scenario.ts'
export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'an orchestrator that never spawns a worker is held five times, then you are called',
  orchestrator: [put('contract.md', helloContract), say('The contract is written. My work is done.')],
  endStates: ['needs you'],
}
