import { helloContract, helloScenarioBase } from '../hello.ts'
import { put, type Scenario, say } from '../scenario.ts'

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'the orchestrator never starts a worker: it may not stop, and after five attempts you are notified',
  orchestrator: [put('contract.md', helloContract), say('The contract is written. My work is done.')],
  endStates: ['needs you'],
}
