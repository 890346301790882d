import { helloContract, helloTask } from '../hello.ts'
import { bash, put, type Scenario, say, spawn, type TurnContext } from '../scenario.ts'

/** How a check or a reviewer asks for more. */
export function askForComments(count: number): string {
  return `hello.sh needs ${count} ${count === 1 ? 'comment' : 'comments'}.`
}

/** A session that writes hello.sh, and another one for what comes back, which is always more comments in it. */
export const commentingScenario: Pick<Scenario, 'task' | 'orchestrator' | 'workers' | 'endStates'> = {
  task: helloTask,
  orchestrator: [
    context => put('contract.md', renderContract(context)),
    context => spawn('code --name hello --clauses C1', `Write hello.sh: it prints hello. ${renderWish(context)}`),
    bash('wait-workers'),
    bash('submit'),
    context => say(context.lastText.slice(0, 200)),
  ],
  workers: { '*': [writeScript, say('hello.sh prints hello, and has its comments. I ran it.')] },
  endStates: ['PASS'],
}

// --- internal ---

function readCount(text: string): number {
  return Math.max(0, ...[...text.matchAll(/needs (\d+) comments?\./g)].map(([, count]) => Number(count)))
}

function renderWish({ task, earlier }: TurnContext): string {
  const count = readCount(`${task}\n${earlier}`)
  return count === 0 ? '' : askForComments(count)
}

/**
 * What is done already becomes a guard. What a person wrote is a sentence of the task, the last one; what a check says is not. The task of an
 * issue begins with its title.
 */
function renderContract(context: TurnContext): string {
  const count = readCount(renderWish(context))
  if (count === 0) return helloContract
  const isGone = /You begin without its work/.test(context.earlier)
  const first = helloContract.replace('- expect:', `${isGone ? '' : '- guard\n'}- expect:`)
  return `${first}
## C3 — hello.sh has as many comments as are asked for
${readCount(context.task) > 0 ? `- covers: ${/\] issue \d/.test(context.task) ? 'S3' : 'S2'}\n` : ''}- check: \`grep -c "^# " hello.sh\`
- expect: output equals \`${count}\`
`
}

function writeScript({ lastText }: TurnContext): ReturnType<typeof put> {
  const comments = Array.from({ length: readCount(lastText) }, (_, index) => `# comment ${index + 1}`)
  return put('hello.sh', [...comments, 'echo hello'].join('\n'))
}
