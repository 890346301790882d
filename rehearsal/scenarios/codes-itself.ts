import { helloContract, helloScenarioBase, remainingTurns } from '../hello.ts'
import { bash, put, type Scenario } from '../scenario.ts'

const toOutputPath = (folder: string) => folder.replace(/desk$/, 'outputs/hello.sh')

export const scenario: Scenario = {
  ...helloScenarioBase,
  title: 'an orchestrator that writes the product itself: refused, and what slips past is set aside',
  orchestrator: [
    heard => ({ write: toOutputPath(heard.folder), text: 'echo hello\n' }),
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
