import { about, contract, therest } from '../hello.ts'
import { bash, put, type Scenario } from '../scenario.ts'

export const scenario: Scenario = {
  ...about,
  title: 'a check with typographic quotes is refused before any worker is paid for, and mended',
  orchestrator: [
    put('contract.md', contract.replace('`sh hello.sh`', '`sh hello.sh | grep “hello”`')),
    bash('contract check'),
    put('contract.md', contract),
    bash('contract check'),
    ...therest,
  ],
  ends: ['PASS'],
}
