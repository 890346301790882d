import { useTempFolder } from '#host/temp-folder.ts'
import { readCloseRequest } from './close-request.ts'
import type { RunnerContext } from './context.ts'
import { DaemonWatch } from './daemon-watch.ts'
import { checkDeadline } from './deadline.ts'
import { DiskWatch } from './disk-watch.ts'
import { endSession, failStart } from './end-session.ts'
import { explainExpiry } from './expiry.ts'
import { MessageDelivery } from './messages/deliver.ts'
import { OrchestratorTerminal } from './messages/orchestrator-terminal.ts'
import { BasePreparation } from './open-session.ts'
import { OrchestratorCost } from './orchestrator/cost.ts'
import { drainHookInbox } from './orchestrator/hook-inbox.ts'
import { LostStop } from './orchestrator/lost-stop.ts'
import { OrchestratorWatch } from './orchestrator/watch.ts'
import { SleepWatch } from './put-to-sleep.ts'
import { RepetitionWatch } from './repetition.ts'
import { RequestServer } from './request-server.ts'
import { JudgeGreeting } from './rounds/judge-greeting.ts'
import { ParkedRound } from './rounds/parked-round.ts'
import { TimeLimit } from './time-limit.ts'
import { VerdictWatch } from './verdict-watch.ts'
import { watchBudget } from './workers/budget.ts'
import { HungResults } from './workers/hung-result.ts'
import { InFlightCost } from './workers/in-flight.ts'
import { WorkerOutput } from './workers/output.ts'
import { watchWorkers } from './workers/watch.ts'

/** A function that looks at everything that a runner must see, in order. */
export function createTick(context: RunnerContext): () => Promise<void> {
  const { paths } = context.session
  const preparation = new BasePreparation()
  const orchestrator = new OrchestratorWatch(context)
  const terminal = new OrchestratorTerminal(context)
  const messages = new MessageDelivery(context, terminal)
  const lostStop = new LostStop()
  const requests = new RequestServer()
  const parkedRound = new ParkedRound()
  const judgeGreeting = new JudgeGreeting()
  const workerOutput = new WorkerOutput()
  const inFlightCost = new InFlightCost()
  const hungResults = new HungResults()
  const verdictWatch = new VerdictWatch()
  const diskWatch = new DiskWatch()
  const sleepWatch = new SleepWatch()
  const timeLimit = new TimeLimit()
  const repetition = new RepetitionWatch()
  const daemonWatch = new DaemonWatch()
  const orchestratorCost = new OrchestratorCost()
  return async () => {
    const closing = readCloseRequest(context.session)
    if (closing !== undefined) return endSession(context, closing.actor, closing.reason)
    useTempFolder() // It may vanish while a session runs, with the login that it belonged to.
    drainHookInbox(paths.hookInbox, hookEvent => {
      orchestrator.processHookEvent(hookEvent)
      terminal.recordPrompt(hookEvent)
      hungResults.recordHook(context.status, hookEvent)
    })
    if (context.status.base) requests.serveNext(context, orchestrator, messages)
    messages.deliverNext()
    parkedRound.check(context)
    judgeGreeting.check(context)
    await watchWorkers(context, hungResults)
    workerOutput.refresh(context.session, context.status.workers)
    const failure = preparation.check(context) ?? (await orchestrator.check(requests.isServing()))
    if (failure) return failStart(context, failure)
    lostStop.check(context, orchestrator.measureIdle(), text => messages.remind(text))
    await verdictWatch.check(context)
    diskWatch.check(context)
    daemonWatch.check(context)
    checkDeadline(context)
    timeLimit.check(context)
    repetition.check(context)
    orchestratorCost.check(context)
    inFlightCost.check(context)
    watchBudget(context)
    const expiry = explainExpiry(context)
    if (expiry !== undefined) return endSession(context, 'dispatch', expiry)
    if (!messages.isDelivering()) await sleepWatch.check(context, orchestrator)
  }
}
