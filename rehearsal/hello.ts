import { bash, put, type Scenario, type ScriptedTurn, say, spawn } from './scenario.ts'

/** The smallest task there is, for scenarios about what goes wrong around it. */
export const helloTask = 'write a shell script hello.sh that prints hello'

export const helloContract = `
# Contract: a script that says hello

## C1 — Running hello.sh prints hello
- covers: S1
- check: \`sh hello.sh\`
- expect: output equals \`hello\`

## C2 — No other file is made
- scope: \`hello.sh\`
`

/** The orchestrator writes the contract. */
export const contractTurns: ScriptedTurn[] = [put('contract.md', helloContract), bash('contract check')]

/** A worker that does what its brief asks. */
export const honestWorkerTurns: ScriptedTurn[] = [
  put('hello.sh', 'echo hello'),
  say('hello.sh prints hello; I ran it and saw "hello". C1 holds.'),
]

/** The orchestrator's turns after a valid contract: one worker, one round, the end. */
export const remainingTurns: ScriptedTurn[] = [
  spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
  bash('wait-workers'),
  bash('submit'),
  context => say(context.lastText.slice(0, 200)),
]

/** What the scenarios with this task have in common, unless they say otherwise. */
export const helloScenarioBase = {
  task: helloTask,
  workers: { '*': honestWorkerTurns } satisfies Scenario['workers'],
  endStates: ['PASS'],
}

/** A scenario whose first contract is rejected. */
export function createRejectionScenario(title: string, rejected: string, ...nextTurns: ScriptedTurn[]): Scenario {
  const orchestrator = [put('contract.md', rejected), bash('contract check'), ...nextTurns, ...contractTurns]
  return { ...helloScenarioBase, title, orchestrator: [...orchestrator, ...remainingTurns] }
}
