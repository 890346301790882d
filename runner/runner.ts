import fs from 'node:fs'
import { type Config, createConfigReader } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { identify, killProcessTree } from '#host/process'
import { openTmux } from '#host/tmux'
import { refuseNewerFormat, type Session } from '#session'
import { acquireLease, holdsLease, type Lease, readLeaseHolder, releaseLease } from '#session/lease'
import { describeEvent, type Event, type EventBody, LogWriter, readLog, watchPaths } from '#session/log'
import { applyEvent, computeStatus, isSettled, type SessionStatus } from '#session/status'
import { callHuman, type RunnerContext } from './context.ts'
import { restoreContractFile } from './contract/seal.ts'
import { checkDeadline } from './deadline.ts'
import { installDependencies } from './dependencies/install.ts'
import { explainExpiry } from './expiry.ts'
import { MessageDelivery } from './messages/deliver.ts'
import { NotificationQueue } from './notifications.ts'
import { prepareBase, recordStart } from './open-session.ts'
import { drainHookInbox } from './orchestrator/hook-inbox.ts'
import { OrchestratorWatch } from './orchestrator/watch.ts'
import { RequestServer } from './request-server.ts'
import { writeStopGate } from './stop-gate.ts'
import { readStopRequest } from './stop-request.ts'
import { getTmuxSessionName } from './terminal.ts'
import { VerdictWatch } from './verdict-watch.ts'
import { watchBudget } from './workers/budget.ts'
import { WorkerOutput } from './workers/output.ts'
import { stopWorkers, watchWorkers } from './workers/watch.ts'

/** Failures in a row, each a tick apart, after which a person is called. */
const MAX_CONSECUTIVE_FAILURES = 40

/** How often everything is looked at, also when no file watch fired. */
const TICK_MS = 250

/** Run one session until it is closed. Exit 5 when another runner of it is alive. */
export async function runSession(session: Session, config: Config): Promise<void> {
  const runner = await Runner.acquire(session, config)
  await runner.run()
}

/** Close a session whose runner is dead: become its runner for as long as that takes. */
export async function closeSession(session: Session, config: Config, actor: string, reason: string): Promise<void> {
  const runner = await Runner.acquire(session, config)
  await runner.close(actor, reason)
}

/**
 * The only writer of a session: while this process holds the lease, it alone writes events, seal, lock, evidence and verdict.
 * It holds the lease, runs the loop and records events. What it does at each tick is in the files beside it.
 */
class Runner implements RunnerContext {
  readonly session: Session
  readonly tmux
  readonly endings: RunnerContext['endings'] = new Map()
  readonly dependencies: RunnerContext['dependencies'] = new Map()
  readonly checkResults: RunnerContext['checkResults'] = new Map()
  readonly log: LogWriter
  status: SessionStatus
  private readonly readFreshConfig: () => Config
  private readonly lease: Lease
  private readonly notifications: NotificationQueue
  private readonly orchestrator = new OrchestratorWatch(this)
  private readonly workerOutput = new WorkerOutput()
  private readonly verdictWatch = new VerdictWatch()
  private readonly messageDelivery = new MessageDelivery(this, error => this.recordFailure(error))
  private readonly requestServer = new RequestServer(this, {
    isOwner: () => this.isOwner(),
    hasQueuedMessage: () => this.messageDelivery.hasQueuedMessage(),
    recordActivity: () => this.orchestrator.recordActivity(),
    recordFailure: error => this.recordFailure(error),
  })
  private isClosed = false
  private failures = 0

  static async acquire(session: Session, config: Config): Promise<Runner> {
    refuseNewerFormat(session)
    const self = await identify(process.pid)
    const lease = self && (await acquireLease(session.paths.runnerLease, self))
    if (lease) return new Runner(session, config, lease)
    const pid = readLeaseHolder(session.paths.runnerLease)?.pid ?? 'unknown'
    throw new DispatchError(`session ${session.id} already has a runner: process ${pid}`, {
      exitCode: exitCodes.conflict,
    })
  }

  private constructor(session: Session, config: Config, lease: Lease) {
    this.session = session
    this.lease = lease
    this.readFreshConfig = createConfigReader(config, problem => process.stdout.write(`${problem}\n`))
    this.tmux = openTmux(config.home)
    this.log = new LogWriter(session.paths.events, session.id)
    const { events, hashes } = readLog(session.paths.events)
    this.status = computeStatus(events)
    const unsent = events
      .map((event, index) => ({ event, head: hashes[index] }))
      .filter(({ event }) => event.seq > this.status.lastNotifiedSeq)
    this.notifications = new NotificationQueue(this, unsent)
  }

  /** The settings as they are now: `.env` may change while a session runs. One that cannot be read changes nothing. */
  get config(): Config {
    return this.readFreshConfig()
  }

  record(body: EventBody): Event {
    if (!this.isOwner())
      throw new DispatchError('another runner has taken over; this one writes nothing more', {
        exitCode: exitCodes.conflict,
      })
    const damage = this.log.checkForDamage()
    if (damage === undefined) return this.append(body)
    this.reportTampering(damage)
    throw new DispatchError(damage, { exitCode: exitCodes.integrity })
  }

  async run(): Promise<void> {
    const { paths } = this.session
    await this.open()
    const watch = await watchPaths([paths.hookInbox, paths.requests, paths.messages, paths.folder], TICK_MS)
    try {
      while (!this.isClosed) {
        await this.runTick().then(
          () => {
            this.failures = 0
          },
          error => this.recordFailure(error),
        )
        if (!this.isClosed) await watch.next()
      }
    } finally {
      await watch.close()
    }
  }

  /** End every process of the session and record why. Its files stay. */
  async close(actor: string, reason: string): Promise<void> {
    const problem = await stopWorkers(this, `the session was closed by ${actor}`)
      .then(() => restoreContractFile(this))
      .then(
        () => '',
        error => `; while closing: ${error instanceof Error ? error.message : error}`,
      )
    this.record({ type: 'session.closed', actor, reason: `${reason}${problem}`.slice(0, 400) })
    await this.endProcesses()
  }

  private async open(): Promise<void> {
    recordStart(this, this.lease.generation)
    const { damage } = this.log
    if (damage !== undefined && this.status.problemExitCode !== exitCodes.integrity) this.reportTampering(damage)
    restoreContractFile(this)
    if (!this.status.base && fs.existsSync(this.session.paths.contractVersion(1)))
      return this.reportTampering('events.jsonl lacks the contract that was sealed: lines were removed')
    const base = this.status.base ?? (await prepareBase(this))
    if ('reason' in base) return this.failStart(base)
    // Dependencies install while the orchestrator plans. A check or a worker that needs them waits.
    installDependencies(this, base).catch(error => this.recordFailure(error))
  }

  private async runTick(): Promise<void> {
    if (!this.isOwner()) {
      this.isClosed = true
      return
    }
    const damage = this.log.checkForDamage()
    if (damage !== undefined) this.reportTampering(damage)
    const stop = readStopRequest(this.session)
    if (stop !== undefined) return this.close('you', stop)
    drainHookInbox(this.session.paths.hookInbox, hookEvent => {
      this.orchestrator.processHookEvent(hookEvent)
      this.messageDelivery.recordPrompt(hookEvent)
    })
    this.requestServer.tick()
    this.messageDelivery.deliverNext()
    await watchWorkers(this)
    this.workerOutput.refresh(this.session, this.status.workers)
    const failure = await this.orchestrator.check()
    if (failure) return this.failStart(failure)
    await this.verdictWatch.tick(this)
    checkDeadline(this)
    watchBudget(this)
    this.notifications.flush()
    const expiry = explainExpiry(this)
    if (expiry !== undefined) await this.close('dispatch', expiry)
  }

  private isOwner(): boolean {
    return holdsLease(this.session.paths.runnerLease, this.lease)
  }

  private append(body: EventBody): Event {
    const event = this.log.append(body, new Date())
    this.status = applyEvent(this.status, event)
    writeStopGate(this)
    const description = describeEvent(event)
    if (description)
      process.stdout.write(`${event.time.slice(11, 19)}  ${description.actor.padEnd(14)} ${description.text}\n`)
    this.notifications.add({ event, head: this.log.head })
    return event
  }

  /** The log was changed from outside. It goes on after what this runner knows, so that the break shows, and a person is called. */
  private reportTampering(damage: string): void {
    this.append({ type: 'human.needed', reason: damage, exitCode: exitCodes.integrity })
  }

  /** A full disk or a broken repository may recover: try again, and call a person when it does not. */
  private recordFailure(error: unknown): void {
    process.stdout.write(`${error instanceof Error ? error.stack : error}\n`)
    this.failures++
    if (error instanceof DispatchError && error.exitCode === exitCodes.conflict) this.isClosed = true
    else if (this.failures === MAX_CONSECUTIVE_FAILURES && !isSettled(this.status)) {
      const reason = `the runner fails repeatedly: ${error instanceof Error ? error.message : error}`
      callHuman(this, reason.slice(0, 500))
    }
  }

  private async failStart({ reason, exitCode }: { reason: string; exitCode: number }): Promise<void> {
    this.record({ type: 'start.failed', reason: reason.slice(0, 3000), exitCode })
    await this.endProcesses()
  }

  private async endProcesses(): Promise<void> {
    this.isClosed = true
    const { id, paths } = this.session
    const mark = `DISPATCH_SESSION=${id}`
    const terminal = getTmuxSessionName(this.session)
    for (const pane of await this.tmux.listPanes())
      if (pane.session === terminal && pane.window !== 'runner' && !pane.isDead) await killProcessTree(pane.pid, mark)
    await killProcessTree(0, mark)
    releaseLease(paths.runnerLease, this.lease)
    await this.tmux.closeSession(terminal) // This process runs in it, so nothing comes after this.
  }
}
