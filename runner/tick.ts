import { readIfPresent } from '#host/fs'
import type { RunnerContext } from './context.ts'
import { checkDeadline } from './deadline.ts'
import { endSession, failStart } from './end-session.ts'
import { explainExpiry } from './expiry.ts'
import { MessageDelivery } from './messages/deliver.ts'
import { drainHookInbox } from './orchestrator/hook-inbox.ts'
import { OrchestratorWatch } from './orchestrator/watch.ts'
import { RequestServer } from './request-server.ts'
import { VerdictWatch } from './verdict-watch.ts'
import { watchBudget } from './workers/budget.ts'
import { WorkerOutput } from './workers/output.ts'
import { watchWorkers } from './workers/watch.ts'

/** Everything that a runner looks at again and again, in order. */
export class Tick {
  private readonly context: RunnerContext
  private readonly orchestrator: OrchestratorWatch
  private readonly messages: MessageDelivery
  private readonly requests = new RequestServer()
  private readonly workerOutput = new WorkerOutput()
  private readonly verdictWatch = new VerdictWatch()

  constructor(context: RunnerContext) {
    this.context = context
    this.orchestrator = new OrchestratorWatch(context)
    this.messages = new MessageDelivery(context)
  }

  async run(): Promise<void> {
    const { context, orchestrator, messages } = this
    const { paths } = context.session
    const stopReason = readIfPresent(paths.stopRequest)
    if (stopReason !== undefined) return endSession(context, 'you', stopReason)
    drainHookInbox(paths.hookInbox, hookEvent => {
      orchestrator.processHookEvent(hookEvent)
      messages.recordPrompt(hookEvent)
    })
    this.requests.serveNext(context, orchestrator, messages)
    messages.deliverNext()
    await watchWorkers(context)
    this.workerOutput.refresh(context.session, context.status.workers)
    const failure = await orchestrator.check()
    if (failure) return failStart(context, failure)
    await this.verdictWatch.check(context)
    checkDeadline(context)
    watchBudget(context)
    const expiry = explainExpiry(context)
    if (expiry !== undefined) await endSession(context, 'dispatch', expiry)
  }
}
