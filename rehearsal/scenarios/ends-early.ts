import { contractTurns, helloScenarioBase, remainingTurns } from '../hello.ts'
import { type Scenario, say } from '../scenario.ts'

const [spawnTurn, waitTurn, ...lastTurns] = remainingTurns

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'the orchestrator tries to stop before there is a verdict; the stop gate keeps it going',
  orchestrator: [
    say('I will begin tomorrow.'),
    ...contractTurns,
    say('The contract is accepted.'),
    spawnTurn ?? say(''),
    say('The worker has started.'),
    waitTurn ?? say(''),
    say('The worker says it is done.'),
    ...lastTurns,
  ],
}
