import { about, contract, therest } from '../hello.ts'
import { bash, put, type Scenario } from '../scenario.ts'

export const scenario: Scenario = {
  ...about,
  title: 'a contract whose clauses have the wrong headings is sent back with line and remedy, and mended',
  orchestrator: [
    put('contract.md', contract.replace('## C1 — Running', '### Clause 1: Running')),
    bash('contract check'),
    put('contract.md', contract),
    bash('contract check'),
    ...therest,
  ],
  ends: ['PASS'],
}
