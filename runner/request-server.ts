import { DispatchError, exitCodes } from '#host/error.ts'
import { sanitize, toOneLine } from '#host/text.ts'
import { readLog } from '#session/log'
import { accept, type CommandReply, callHuman, type RunnerContext, refuse } from './context.ts'
import { amendContract } from './contract/amend.ts'
import { checkContract } from './contract/seal.ts'
import { explainMissingContract } from './dependencies/explain-failure.ts'
import type { MessageDelivery } from './messages/deliver.ts'
import type { OrchestratorWatch } from './orchestrator/watch.ts'
import { type AgentRequest, listPendingRequests, writeRequestReply } from './requests.ts'
import { submitWork } from './rounds/submit.ts'
import { DRAFT_ATTEMPTS } from './stop-gate.ts'
import { spawnWorker } from './workers/spawn.ts'
import { buildWaitReply } from './workers/wait.ts'

const MAX_QUESTION_CHARS = 4000

/** `wait-workers` returns early when a person has sent a message: claude takes one only between two tools. */
const messageReply = accept(
  'A message from the human comes next. The workers go on. Act on it, then run `wait-workers` again.',
)

const parkedMessageReply = accept(
  'A message from the human comes next. The work still waits for the judge, and nothing of it is lost. Act on the message, then run `submit` again and wait.',
)

/** Answers the agents' requests: `wait-workers` when its time has come, a `submit` that waits for the judge with the verdict, the others one at a time. */
export class RequestServer {
  private isBusy = false

  /** Is a request being carried out? */
  isServing(): boolean {
    return this.isBusy
  }

  serveNext(context: RunnerContext, orchestrator: OrchestratorWatch, messages: MessageDelivery): void {
    const { paths } = context.session
    const requests = listPendingRequests(paths)
    if (requests.length > 0) orchestrator.recordActivity()
    const isParked = ({ tool }: AgentRequest) => tool === 'submit' && context.status.judgeWait !== null
    const isInterrupted = messages.shouldInterrupt()
    for (const request of requests) {
      const { id, tool, args } = request
      const reply = tool === 'wait-workers' ? buildWaitReply(context, args) : undefined
      const interruption = tool === 'wait-workers' ? messageReply : isParked(request) ? parkedMessageReply : undefined
      if (reply) writeRequestReply(paths, id, reply)
      else if (isInterrupted && interruption) {
        writeRequestReply(paths, id, interruption)
        messages.recordInterrupt()
      }
    }
    const next = requests.find(request => request.tool !== 'wait-workers' && !isParked(request))
    if (!next || this.isBusy) return
    this.isBusy = true
    serve(context, next)
      .catch(error => context.recordFailure(error))
      .finally(() => {
        this.isBusy = false
      })
  }
}

// --- internal ---

async function serve(context: RunnerContext, request: AgentRequest): Promise<void> {
  const { id, tool } = request
  const reply = await runTool(context, request).catch(error => answerFailure(context, error))
  if (reply === undefined) return // It waits for the judge.
  if (reply.exitCode === exitCodes.usage && tool !== 'contract') {
    const reason = reply.text.split('\n')[0]?.slice(0, 200) ?? ''
    context.record({ type: 'request.rejected', tool, reason })
  }
  if (context.isOwner()) writeRequestReply(context.session.paths, id, reply)
}

async function runTool(context: RunnerContext, request: AgentRequest): Promise<CommandReply | undefined> {
  const { id, tool, args } = request
  const { contract, contractRejections } = context.status
  if (contractRejections >= DRAFT_ATTEMPTS && !contract)
    return callHuman(context, explainMissingContract(context.status) ?? describeRejections(context))
  switch (tool) {
    case 'contract': {
      const [action, ...rest] = args
      if (action === 'check' && rest.length === 0) return checkContract(context)
      if (action === 'amend') return amendContract(context, rest.join(' ').trim())
      return refuse('usage: contract check, and once it is sealed: contract amend "why it must change"')
    }
    case 'spawn-worker':
      return spawnWorker(context, request)
    case 'submit':
      return args.length === 0 ? submitWork(context, id) : refuse('usage: submit   (it takes no arguments)')
    case 'ask':
      return askHuman(context, args.join(' ').trim())
    case 'wait-workers':
      throw new Error('wait-workers is answered by serveNext()')
  }
}

/** How often the contract was rejected, and for what the last time. */
function describeRejections({ session, status }: RunnerContext): string {
  const { events } = readLog(session.paths.events)
  const last = events.findLast(event => event.type === 'contract.rejected')
  const [problem = 'unknown'] = last?.problems ?? []
  return `the contract was rejected ${status.contractRejections} times, last because of this: ${toOneLine(problem, 200)}`
}

function askHuman(context: RunnerContext, question: string): CommandReply {
  if (question === '' || /^--?h(elp)?$/.test(question)) return refuse('usage: ask "your question"')
  if (context.status.phase === 'asking')
    return refuse('The human already has a question from you. End your turn: the answer will be your next message.')
  context.record({ type: 'question.asked', question: sanitize(question).slice(0, MAX_QUESTION_CHARS) })
  return accept('The human was asked. End your turn now: the answer will be your next message.')
}

/** A failure of dispatch itself, in words that the agent can act on. Tampering goes to the human. */
function answerFailure(context: RunnerContext, error: unknown): CommandReply {
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof DispatchError && error.exitCode === exitCodes.integrity)
    return callHuman(context, reason, error.exitCode)
  return refuse(
    `dispatch itself failed: ${reason}\nTry once more. If it fails again, run \`ask\` and report it.`,
    exitCodes.internal,
  )
}
