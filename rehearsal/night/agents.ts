import { bash, combineCommands, type ModelAction, put, say, spawn, type TurnContext } from '../scenario.ts'

/** What happens to a task in the night. */
export type Fate = 'passes' | 'meets the limit' | 'never ends' | 'asks' | 'needs approval'

/** The tasks, in the order in which they are queued. Each is to write a script with its name. */
export const tasks: Record<string, Fate> = {
  sloth: 'never ends',
  parrot: 'meets the limit',
  owl: 'asks',
  lark: 'needs approval',
  ant: 'passes',
  bee: 'passes',
  cat: 'passes',
  dog: 'passes',
  elk: 'passes',
  fox: 'passes',
  gnu: 'passes',
  hen: 'passes',
}

export function renderTask(name: string): string {
  return `write a shell script ${name}.sh that prints ${name}`
}

/** How long the vendor's limit lasts. Dispatch adds up to a minute, so that not all sessions go on at once. */
const LIMIT_MS = 5000

/**
 * The orchestrator of a task. It goes by what it has read last, so it also knows how to go on when its claude was cut off.
 * `limits` remembers which tasks have met the limit.
 */
export function orchestrate({ task, lastText, turnIndex }: TurnContext, limits: Set<string>): ModelAction {
  const name = /print(?:s) (\w+)$/.exec(task)?.[1] ?? ''
  const fate = tasks[name]
  if (fate === 'asks')
    return turnIndex === 0 ? bash('ask "In English or in Portuguese?"') : say('I wait for the answer.')
  if (fate === 'meets the limit' && turnIndex > 0 && !limits.has(name)) {
    limits.add(name)
    const resetsAt = Math.ceil((Date.now() + LIMIT_MS) / 1000)
    return {
      refuse: 429,
      kind: 'rate_limit_error',
      reason: `Claude AI usage limit reached|${resetsAt}`,
      headers: { 'x-should-retry': 'false' },
    }
  }
  if (/This is final|already has a verdict/.test(lastText)) return say(`${name} is judged.`)
  if (lastText.includes(`=== ${name}`) || lastText.includes('has ended: ')) return bash('submit')
  if (lastText.includes("needs the human's approval. Nothing was started")) return say('I wait for the approval.')
  if (/ starts now|works\.|waits for its turn|Still working/.test(lastText)) return bash('wait-workers')
  if (/The contract is (?:ready|sealed)|no worker has run|No worker has been started/.test(lastText))
    return spawn(`code --name ${name} --clauses C1`, `Write ${name}.sh: it prints ${name}.`)
  return combineCommands(put('contract.md', renderContract(name)), bash('contract check'))
}

/** A worker. Its name is that of its task. */
export function createWorker(name: string): ModelAction[] {
  if (tasks[name] === 'never ends') return [bash('sleep 3600')]
  return [put(`${name}.sh`, `echo ${name}`), say(`${name}.sh prints ${name}; I ran it. C1 holds.`)]
}

function renderContract(name: string): string {
  return `
# Contract: a script that prints ${name}

## C1 — Running ${name}.sh prints ${name}
- covers: S1
- check: \`sh ${name}.sh\`
- expect: output equals \`${name}\`

## C2 — No other file is made
- scope: \`${name}.sh\`
`
}
