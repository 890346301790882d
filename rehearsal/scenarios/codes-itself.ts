import path from 'node:path'
import { contractTurns, helloScenarioBase, remainingTurns } from '../hello.ts'
import { bash, type Scenario, write } from '../scenario.ts'

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'the orchestrator writes code itself: blocked, and what gets through is quarantined',
  orchestrator: [
    context => write(path.join(context.folder, '../outputs/hello.sh'), 'echo hello\n'),
    bash(
      "cd $DISPATCH_OUTPUTS && echo 'echo hello' > hello.sh && git add -A && git commit -qm mine && echo more > more.sh",
    ),
    bash('cd $DISPATCH_ORCHESTRATOR_FOLDER'),
    bash('submit'),
    ...contractTurns,
    ...remainingTurns,
  ],
}
