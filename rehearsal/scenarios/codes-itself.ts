import path from 'node:path'
import { helloContract, helloScenarioBase, remainingTurns } from '../hello.ts'
import { bash, put, type Scenario } from '../scenario.ts'

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'the orchestrator writes code itself: blocked, and what gets through is quarantined',
  orchestrator: [
    context => ({ write: path.join(context.folder, '../outputs/hello.sh'), text: 'echo hello\n' }),
    bash(
      "cd $DISPATCH_OUTPUTS && echo 'echo hello' > hello.sh && git add -A && git commit -qm mine && echo more > more.sh",
    ),
    bash('cd $DISPATCH_ORCHESTRATOR_FOLDER'),
    bash('submit'),
    put('contract.md', helloContract),
    bash('contract check'),
    ...remainingTurns,
  ],
  endStates: ['PASS'],
}
