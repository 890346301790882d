import { helloScenarioBase } from '../hello.ts'
import { bash, type Scenario, say } from '../scenario.ts'
export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'an orchestrator that asks you something may end its turn, and you are told what it asks',
  orchestrator: [
    bash('ask "Shall it say hello in English or in Portuguese?"'),
    say('I have asked, and wait for the answer.'),
  ],
  endStates: ['asking'],
}
