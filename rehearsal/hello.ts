import { bash, put, type Scenario, type ScriptedTurn, say, spawn } from './scenario.ts'
/** The smallest task there is, for scenarios about what goes wrong around it. */
export const helloTask = 'write a shell script hello.sh that prints hello'

export const helloContract = `
# Contract: a script that says hello

## C1 — Running hello.sh prints hello
- covers: S1
- check: \`sh hello.sh\`
- expect: output equals \`hello\`

## C2 — Nothing else is made
- scope: \`hello.sh\`
`

/** A worker that does what it is asked. */
export const honestWorkerTurns: ScriptedTurn[] = [
  put('hello.sh', 'echo hello'),
  say('hello.sh prints hello; I ran it and saw "hello". C1 holds.'),
]

/** From a contract that holds to the end, without a slip. */
export const remainingTurns: ScriptedTurn[] = [
  spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
  bash('wait-workers'),
  bash('submit'),
  heard => say(heard.lastText.slice(0, 200)),
]

/** What all of these scenarios have in common. */
export const helloScenarioBase = { task: helloTask, workers: { '*': honestWorkerTurns } satisfies Scenario['workers'] }
