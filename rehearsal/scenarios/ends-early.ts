import { about, contract, therest } from '../hello.ts'
import { bash, put, type Scenario, say } from '../scenario.ts'

const [spawning, waiting, ...rest] = therest

export const scenario: Scenario = {
  ...about,
  title: 'an orchestrator that ends its turn again and again before there is a verdict is held, and goes on',
  orchestrator: [
    say('I will begin tomorrow.'),
    put('contract.md', contract),
    bash('contract check'),
    say('The contract holds.'),
    spawning ?? say(''),
    say('The worker is on its way.'),
    waiting ?? say(''),
    say('The worker says it is done.'),
    ...rest,
  ],
  ends: ['PASS'],
}
