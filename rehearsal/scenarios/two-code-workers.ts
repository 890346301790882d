import { contractTurns, helloScenarioBase, honestWorkerTurns } from '../hello.ts'
import { bash, combineCommands, type Scenario, say, spawn } from '../scenario.ts'

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'two code workers at once: the second waits for the write lock',
  orchestrator: [
    ...contractTurns,
    combineCommands(
      spawn('code --name first --clauses C1', 'Write hello.sh: it prints hello.'),
      spawn('code --name second --clauses C1', 'Look at hello.sh, and make it end with exit 0.'),
    ),
    bash('wait-workers'),
    bash('submit'),
    context => say(context.lastText.slice(0, 200)),
  ],
  workers: {
    first: [bash('sleep 2'), ...honestWorkerTurns],
    second: [bash('echo "exit 0" >> hello.sh && sh hello.sh'), say('It ends with exit 0.')],
  },
}
