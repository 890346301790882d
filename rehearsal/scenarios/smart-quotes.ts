import { createRejectionScenario, helloContract } from '../hello.ts'

export const scenario = createRejectionScenario(
  'a check with typographic quotes is rejected before a worker costs money',
  helloContract.replace('`sh hello.sh`', '`sh hello.sh | grep “hello”`'),
)
