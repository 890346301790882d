import { helloScenarioBase } from '../hello.ts'
import { bash, type Scenario, say } from '../scenario.ts'

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'the orchestrator asks you a question and ends its turn; you are notified',
  orchestrator: [
    bash('ask "Shall it say hello in English or in Portuguese?"'),
    say('I have asked, and wait for the answer.'),
  ],
  endStates: ['asking'],
}
