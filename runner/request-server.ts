import { DispatchError, exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { type CommandReply, callHuman, type RunnerContext, refuse } from './context.ts'
import { amendContract } from './contract/amend.ts'
import { checkContract } from './contract/seal.ts'
import { type AgentRequest, listPendingRequests, writeRequestReply } from './requests.ts'
import { submitWork } from './rounds/submit.ts'
import { DRAFT_ATTEMPTS } from './stop-gate.ts'
import { spawnWorker } from './workers/spawn.ts'
import { buildWaitReply } from './workers/wait.ts'

const MAX_QUESTION_CHARS = 4000

/** `wait-workers` returns early when a person has sent a message: claude takes one only between two tools. */
const messageReply: CommandReply = {
  exitCode: 0,
  text: 'A message from the human comes next. The workers go on. Act on it, then run `wait-workers` again.',
}

/** What the server needs of its runner besides the context. */
interface RequestHost {
  isOwner(): boolean
  hasQueuedMessage(): boolean
  recordActivity(): void
  recordFailure(error: unknown): void
}

/** Answers the agents' requests: `wait-workers` when its time has come, the others one at a time. */
export class RequestServer {
  private readonly context: RunnerContext
  private readonly host: RequestHost
  private isBusy = false

  constructor(context: RunnerContext, host: RequestHost) {
    this.context = context
    this.host = host
  }

  tick(): void {
    const { paths } = this.context.session
    const requests = listPendingRequests(paths)
    if (requests.length > 0) this.host.recordActivity()
    for (const { id, args } of requests.filter(({ tool }) => tool === 'wait-workers')) {
      const reply = buildWaitReply(this.context, args) ?? (this.host.hasQueuedMessage() ? messageReply : undefined)
      if (reply) writeRequestReply(paths, id, reply)
    }
    const next = requests.find(({ tool }) => tool !== 'wait-workers')
    if (!next || this.isBusy) return
    this.isBusy = true
    this.serve(next)
      .catch(error => this.host.recordFailure(error))
      .finally(() => {
        this.isBusy = false
      })
  }

  private async serve(request: AgentRequest): Promise<void> {
    const { context } = this
    const reply = await this.run(request).catch(error => this.answerFailure(error))
    if (reply.exitCode === exitCodes.usage && request.tool !== 'contract') {
      const reason = reply.text.split('\n')[0]?.slice(0, 200) ?? ''
      context.record({ type: 'request.rejected', tool: request.tool, reason })
    }
    if (this.host.isOwner()) writeRequestReply(context.session.paths, request.id, reply)
  }

  private async run({ tool, ...request }: AgentRequest): Promise<CommandReply> {
    const { context } = this
    const { contract, contractRejections } = context.status
    if (contractRejections >= DRAFT_ATTEMPTS && !contract)
      return callHuman(context, `the contract was rejected ${contractRejections} times`)
    switch (tool) {
      case 'contract':
        return this.runContractTool(request.args)
      case 'spawn-worker':
        return spawnWorker(context, { tool, ...request })
      case 'submit':
        return request.args.length === 0
          ? submitWork(context, request.id)
          : refuse('usage: submit   (it takes no arguments)')
      case 'ask':
        return this.ask(request.args.join(' ').trim())
      case 'wait-workers':
        throw new Error('wait-workers is answered by tick()')
    }
  }

  private runContractTool([action, ...rest]: string[]): CommandReply | Promise<CommandReply> {
    if (action === 'check' && rest.length === 0) return checkContract(this.context)
    if (action === 'amend') return amendContract(this.context, rest.join(' ').trim())
    return refuse('usage: contract check, and once it is sealed: contract amend "why it must change"')
  }

  private ask(question: string): CommandReply {
    if (question === '' || /^--?h(elp)?$/.test(question)) return refuse('usage: ask "your question"')
    if (this.context.status.phase === 'asking')
      return refuse('The human already has a question from you. End your turn: the answer will be your next message.')
    this.context.record({ type: 'question.asked', question: sanitize(question).slice(0, MAX_QUESTION_CHARS) })
    return { exitCode: 0, text: 'The human was asked. End your turn now: the answer will be your next message.' }
  }

  /** A failure of dispatch itself, in words that the agent can act on. Tampering goes to the human. */
  private answerFailure(error: unknown): CommandReply {
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof DispatchError && error.exitCode === exitCodes.integrity)
      return callHuman(this.context, reason, error.exitCode)
    const text = `dispatch itself failed: ${reason}\nTry once more. If it fails again, run \`ask\` and report it.`
    return { exitCode: exitCodes.internal, text }
  }
}
