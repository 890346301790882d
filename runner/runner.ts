import fs from 'node:fs'
import path from 'node:path'
import { formatStopBlock } from '#agents'
import { type Config, createConfigReader } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readIfPresent, writeAtomic } from '#host/fs'
import { identify, killProcessTree } from '#host/process'
import { sanitize } from '#host/text.ts'
import { openTmux } from '#host/tmux'
import { refuseNewerFormat, type Session } from '#session'
import { readCurrentVerdict, renderVerdict } from '#session/evidence'
import { acquireLease, holdsLease, type Lease, readLeaseHolder, releaseLease } from '#session/lease'
import { describeEvent, type Event, type EventBody, LogWriter, readLog, watchPaths } from '#session/log'
import { type Commit, describeVoidReason, listChangesSinceVerdict, prepareRepository } from '#session/repository'
import { applyEvent, computeStatus, countConsecutiveRestarts, isSettled, type SessionStatus } from '#session/status'
import { type CommandReply, callHuman, type RunnerContext, refuse } from './context.ts'
import { amendContract } from './contract/amend.ts'
import { checkContract, restoreContractFile } from './contract/seal.ts'
import { installDependencies } from './dependencies/install.ts'
import { MessageDelivery } from './messages/deliver.ts'
import { computeSha256 } from './messages/store.ts'
import { NotificationQueue } from './notifications.ts'
import { drainHookInbox } from './orchestrator/hook-inbox.ts'
import { OrchestratorWatch } from './orchestrator/watch.ts'
import { type AgentRequest, listPendingRequests, writeRequestReply } from './requests.ts'
import { submitWork } from './rounds/submit.ts'
import { DRAFT_ATTEMPTS, explainStopBlock } from './stop-gate.ts'
import { getTmuxSessionName } from './terminal.ts'
import { watchBudget } from './workers/budget.ts'
import { WorkerOutput } from './workers/output.ts'
import { spawnWorker } from './workers/spawn.ts'
import { buildWaitReply, stopWorkers, watchWorkers } from './workers/workers.ts'

/** Failures in a row after which a person is called; each is a tick apart. */
const MAX_CONSECUTIVE_FAILURES = 40

/** Waiting ends early when the human has said something: claude takes it up only between two tools. */
const messageComesReply: CommandReply = {
  exit: 0,
  text: 'The human has said something; it comes next. The workers go on. Heed it, then run `wait-workers` again.',
}

/** How often everything is looked at again, whether or not a watch said so, in milliseconds. */
const TICK_MS = 250

/**
 * Run one session until it is closed. One writer: this process alone writes events, seal, lock, evidence and verdict.
 * Throws exit 5 when another runner of the session lives.
 */
export async function runSession(session: Session, config: Config): Promise<void> {
  const runner = await Runner.acquire(session, config)
  await runner.run()
}

/** Close a session whose runner is gone: become its runner for as long as that takes. */
export async function closeSession(session: Session, config: Config, by: string, why: string): Promise<void> {
  const runner = await Runner.acquire(session, config)
  await runner.close(by, why)
}

/** The file by which a door asks a living runner to close. */
export function requestClose(session: Session, why: string): void {
  refuseNewerFormat(session)
  writeAtomic(path.join(session.paths.folder, 'stop'), why)
}

class Runner implements RunnerContext {
  readonly session: Session
  private readonly readFreshConfig: () => Config
  readonly tmux
  readonly endings: RunnerContext['endings'] = new Map()
  readonly dependencies: RunnerContext['dependencies'] = new Map()
  readonly checkResults: RunnerContext['checkResults'] = new Map()
  readonly log: LogWriter
  status: SessionStatus
  private readonly lease: Lease
  private readonly workerOutput = new WorkerOutput()
  private activeRequest: Promise<void> | undefined
  private closed = false
  private readonly orchestrator = new OrchestratorWatch(this)
  private readonly messageDelivery = new MessageDelivery(this, error => this.recordFailure(error))
  private readonly notifications: NotificationQueue
  private failures = 0

  static async acquire(session: Session, config: Config): Promise<Runner> {
    refuseNewerFormat(session)
    const who = await identify(process.pid)
    const lease = who && (await acquireLease(session.paths.runnerLease, who))
    const first = readLeaseHolder(session.paths.runnerLease)
    if (!lease)
      throw new DispatchError(`session ${session.id} has a runner already: process ${first?.pid ?? 'unknown'}`, {
        exitCode: exitCodes.conflict,
      })
    return new Runner(session, config, lease)
  }

  private constructor(session: Session, config: Config, claimed: Lease) {
    this.session = session
    this.readFreshConfig = createConfigReader(config, problem => process.stdout.write(`${problem}\n`))
    this.tmux = openTmux(config.home)
    this.lease = claimed
    this.log = new LogWriter(session.paths.events, session.id)
    const { events, hashes } = readLog(session.paths.events)
    this.status = computeStatus(events)
    const unsaid = events.map((event, at) => ({ event, head: hashes[at] }))
    this.notifications = new NotificationQueue(
      this,
      unsaid.filter(({ event }) => event.seq > this.status.lastNotifiedSeq),
    )
  }

  /** The settings as they are now: `.env` may change while a session runs, and one that no longer reads changes nothing. */
  get config(): Config {
    return this.readFreshConfig()
  }

  record(happening: EventBody): Event {
    if (!holdsLease(this.session.paths.runnerLease, this.lease))
      throw new DispatchError('another runner has taken over; this one writes nothing more', {
        exitCode: exitCodes.conflict,
      })
    const harm = this.log.checkForDamage()
    if (harm === undefined) return this.appendEvent(happening)
    this.reportTampering(harm)
    throw new DispatchError(harm, { exitCode: exitCodes.integrity })
  }

  private appendEvent(happening: EventBody): Event {
    const event = this.log.append(happening, new Date())
    this.status = applyEvent(this.status, event)
    this.writeStopGate()
    const moment = describeEvent(event)
    if (moment) process.stdout.write(`${event.time.slice(11, 19)}  ${moment.actor.padEnd(14)} ${moment.text}\n`)
    this.notifications.add({ event, head: this.log.head })
    return event
  }

  /** Somebody has had a hand in the log: it goes on behind what this runner knows, so that the break shows, and a person is called. */
  private reportTampering(harm: string): void {
    this.appendEvent({ type: 'human.needed', reason: harm, exitCode: exitCodes.integrity })
  }

  async run(): Promise<void> {
    const { paths } = this.session
    await this.open()
    const waker = await watchPaths([paths.hookInbox, paths.requests, paths.messages, paths.folder], TICK_MS)
    try {
      while (!this.closed) {
        await this.runTick().then(
          () => {
            this.failures = 0
          },
          error => this.recordFailure(error),
        )
        if (!this.closed) await waker.next()
      }
    } finally {
      await waker.close()
    }
  }

  /** A full disk or a broken repository may mend itself: try again, and call a person when it does not. */
  private recordFailure(error: unknown): void {
    process.stdout.write(`${error instanceof Error ? error.stack : error}\n`)
    this.failures++
    if (error instanceof DispatchError && error.exitCode === exitCodes.conflict) this.closed = true
    else if (this.failures === MAX_CONSECUTIVE_FAILURES && !isSettled(this.status))
      callHuman(
        this,
        `dispatch's own runner fails again and again: ${error instanceof Error ? error.message : error}`.slice(0, 500),
      )
  }

  /** End every process of the session and say so. What is on disk stays. */
  async close(actor: string, why: string): Promise<void> {
    const ended = stopWorkers(this, `the session was closed by ${actor}`).then(() => restoreContractFile(this))
    const trouble = await ended.then(
      () => '',
      error => `; on the way: ${error instanceof Error ? error.message : error}`,
    )
    this.record({ type: 'session.closed', actor, reason: `${why}${trouble}`.slice(0, 400) })
    await this.endProcesses()
  }

  private async open(): Promise<void> {
    const { session } = this
    if (this.status.lastSeq === 0) {
      const { task, repository, models, maxRounds, allowsJudgedOnly, sandbox } = session.manifest
      this.record({
        type: 'session.opened',
        format: 1,
        task,
        repository: repository?.path ?? null,
        uncommittedFiles: repository?.uncommittedFiles ?? 0,
        models,
        maxRounds,
        allowsJudgedOnly,
        sandbox,
        sha256: computeSha256(fs.readFileSync(session.paths.manifest, 'utf8')),
      })
    }
    const { generation } = this.lease
    const row = generation === 1 ? {} : { consecutiveRestarts: countConsecutiveRestarts(this.status, Date.now()) }
    this.record({ type: 'runner.started', pid: process.pid, generation, ...row })
    if (this.log.damage !== undefined && this.status.problemExitCode !== exitCodes.integrity)
      this.reportTampering(this.log.damage)
    restoreContractFile(this)
    if (this.status.base) return this.startDependencyInstall(this.status.base)
    if (fs.existsSync(session.paths.contractVersion(1)))
      return this.reportTampering('events.jsonl knows nothing of the contract that was sealed: somebody has cut it')
    try {
      const base = await prepareRepository(session.paths, `dispatch/${session.id}`, session.manifest.repository?.path)
      const { repository } = session.manifest
      if (repository && repository.commit !== base.commit)
        throw new Error(`${repository.path} has moved on to ${base.commit.slice(0, 10)} in the meantime; start again`)
      this.record({ type: 'base.prepared', ...base })
      this.startDependencyInstall(base)
    } catch (error) {
      await this.failStart(
        `the repository could not be copied: ${error instanceof Error ? error.message : error}`,
        error instanceof DispatchError ? error.exitCode : exitCodes.internal,
      )
    }
  }

  /** The project's dependencies are made while the orchestrator plans; a check or a worker that needs them waits. */
  private startDependencyInstall(base: Commit): void {
    installDependencies(this, base).catch(error => this.recordFailure(error))
  }

  private async runTick(): Promise<void> {
    const { paths } = this.session
    if (!holdsLease(paths.runnerLease, this.lease)) {
      this.closed = true
      return
    }
    const harm = this.log.checkForDamage()
    if (harm !== undefined) this.reportTampering(harm)
    const stop = readIfPresent(path.join(paths.folder, 'stop'))
    if (stop !== undefined) return this.close('you', stop)
    drainHookInbox(paths.hookInbox, hookEvent => {
      this.orchestrator.processHookEvent(hookEvent)
      this.messageDelivery.recordPrompt(hookEvent)
    })
    this.serveRequests()
    this.messageDelivery.deliverNext()
    await watchWorkers(this)
    this.workerOutput.refresh(this.session, this.status.workers)
    const failed = await this.orchestrator.check()
    if (failed) return this.failStart(failed.reason, failed.exit)
    await this.watchVerdict()
    this.watchDeadline()
    watchBudget(this)
    this.notifications.flush()
    await this.closeWhenDone()
  }

  /** Take up the agents' requests: waiting ones are answered when their time has come, the others one at a time. */
  private serveRequests(): void {
    const { paths } = this.session
    const requests = listPendingRequests(paths)
    if (requests.length > 0) this.orchestrator.recordActivity()
    for (const request of requests.filter(({ tool }) => tool === 'wait-workers')) {
      const reply =
        buildWaitReply(this, request.args) ?? (this.messageDelivery.hasQueuedMessage() ? messageComesReply : undefined)
      if (reply) writeRequestReply(paths, request.id, reply)
    }
    const next = requests.find(({ tool }) => tool !== 'wait-workers')
    if (!next || this.activeRequest) return
    this.activeRequest = this.runRequest(next)
      .catch(error => this.answerFailure(error))
      .then(reply => {
        if (reply.exit === 2 && next.tool !== 'contract')
          this.record({
            type: 'request.rejected',
            tool: next.tool,
            reason: reply.text.split('\n')[0]?.slice(0, 200) ?? '',
          })
        if (holdsLease(paths.runnerLease, this.lease)) writeRequestReply(paths, next.id, reply)
      })
      .catch(error => this.recordFailure(error))
      .finally(() => {
        this.activeRequest = undefined
      })
  }

  /** What we could not do, in words the agent can act on; what somebody tampered with goes to the human. */
  private answerFailure(error: unknown): CommandReply {
    const why = error instanceof Error ? error.message : String(error)
    if (error instanceof DispatchError && error.exitCode === exitCodes.integrity)
      return callHuman(this, why, error.exitCode)
    return {
      exit: exitCodes.internal,
      text: `dispatch itself failed at this: ${why}\nTry once more; if it stays, run \`ask\` and tell the human.`,
    }
  }

  private async runRequest(request: AgentRequest): Promise<CommandReply> {
    if (this.status.contractRejections >= DRAFT_ATTEMPTS && !this.status.contract)
      return callHuman(this, `the contract was refused ${this.status.contractRejections} times`)
    switch (request.tool) {
      case 'contract':
        return this.runContractTool(request.args)
      case 'spawn-worker':
        return spawnWorker(this, request)
      case 'submit':
        return request.args.length === 0 ? submitWork(this, request.id) : refuse('usage: submit   (it takes no words)')
      case 'ask':
        return this.askHuman(request.args.join(' ').trim())
      case 'wait-workers':
        throw new Error('waiting is served elsewhere')
    }
  }

  private runContractTool([what, ...why]: string[]): CommandReply | Promise<CommandReply> {
    if (what === 'check' && why.length === 0) return checkContract(this)
    if (what === 'amend') return amendContract(this, why.join(' ').trim())
    return refuse('usage: contract check, and once it is sealed: contract amend "why it must change"')
  }

  private askHuman(question: string): CommandReply {
    if (question === '' || /^--?h(elp)?$/.test(question)) return refuse('usage: ask "your question"')
    if (this.status.phase === 'asking')
      return refuse('the human has a question of yours already. End your turn: their answer will be your next message.')
    this.record({ type: 'question.asked', question: sanitize(question).slice(0, 4000) })
    return { exit: 0, text: 'The human has been told. End your turn now; their answer will be your next message.' }
  }

  private async failStart(why: string, exitCode: number): Promise<void> {
    this.record({ type: 'start.failed', reason: why.slice(0, 3000), exitCode })
    await this.endProcesses()
  }

  private verdictCheckedAtMs = 0

  /** A verdict is bound to the tree it judged: any change after it voids it, at the latest two seconds later. */
  private async watchVerdict(): Promise<void> {
    const { verdict } = this.status
    if (!verdict?.isFinal || verdict.voidReason || Date.now() - this.verdictCheckedAtMs < 2000) return
    this.verdictCheckedAtMs = Date.now()
    const reason = describeVoidReason(await listChangesSinceVerdict(this.session.paths, this.status))
    if (reason === undefined) return
    this.record({ type: 'verdict.voided', reason })
    const written = readCurrentVerdict(this.session.paths, this.status)
    if (written) writeAtomic(this.session.paths.verdictText, renderVerdict(written, reason))
  }

  private watchDeadline(): void {
    const { deadline } = this.session.manifest
    const { isPastDeadline, verdict, phase } = this.status
    if (
      deadline === null ||
      isPastDeadline ||
      verdict?.isFinal ||
      phase === 'failed' ||
      Date.now() < Date.parse(deadline)
    )
      return
    this.record({ type: 'deadline.passed', deadline })
  }

  private async closeWhenDone(): Promise<void> {
    const { phase, verdict } = this.status
    const done = verdict?.isFinal && (phase === 'PASS' || phase === 'FAIL' || phase === 'INCONCLUSIVE')
    if (done && Date.now() - Date.parse(this.status.phaseStartedAt) > this.config.KEEP_OPEN_SEC * 1000)
      await this.close('dispatch', `open for ${this.config.KEEP_OPEN_SEC} s after the verdict`)
  }

  private async endProcesses(): Promise<void> {
    this.closed = true
    const panes = (await this.tmux.listPanes()).filter(
      pane => pane.session === this.tmuxSession && pane.window !== 'runner' && !pane.isDead,
    )
    for (const pane of panes) await killProcessTree(pane.pid, `DISPATCH_SESSION=${this.session.id}`)
    await killProcessTree(0, `DISPATCH_SESSION=${this.session.id}`)
    releaseLease(this.session.paths.runnerLease, this.lease)
    await this.tmux.closeSession(this.tmuxSession) // This process lives in it: the last thing it does.
  }

  /** The Stop hook reads a file, so the reason to go on must lie there before an agent hears of anything. */
  private writeStopGate(): void {
    const reason = explainStopBlock(this.status)
    const { stopGate } = this.session.paths
    const text = reason === undefined ? '' : formatStopBlock(reason)
    if (text === (readIfPresent(stopGate) ?? '')) return
    if (reason === undefined) fs.rmSync(stopGate, { force: true })
    else writeAtomic(stopGate, text)
  }

  private get tmuxSession(): string {
    return getTmuxSessionName(this.session)
  }
}
