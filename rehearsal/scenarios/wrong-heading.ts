import { createRejectionScenario, helloContract } from '../hello.ts'

export const scenario = createRejectionScenario(
  'a contract with wrong headings is rejected with line and fix',
  helloContract.replace('## C1 — Running', '### Clause 1: Running'),
)
