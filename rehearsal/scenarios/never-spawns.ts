import { about, contract } from '../hello.ts'
import { put, type Scenario, say } from '../scenario.ts'

export const scenario: Scenario = {
  ...about,
  title: 'an orchestrator that never spawns a worker is held five times, then you are called',
  orchestrator: [put('contract.md', contract), say('The contract is written. My work is done.')],
  ends: ['needs you'],
}
