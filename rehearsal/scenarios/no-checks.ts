import { createRejectionScenario } from '../hello.ts'
import { spawn } from '../scenario.ts'

const vagueContract = `
# Contract: a script that says hello

## C1 — The script is good
- judged
`

export const scenario = createRejectionScenario(
  'a contract without a check is rejected until it has one',
  vagueContract,
  spawn('code --clauses C1', 'Write a good script.'),
)
