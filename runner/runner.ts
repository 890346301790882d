import fs from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { AwakeClock } from '#host/awake-clock.ts'
import { type Config, createConfigReader } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { holdsLease, type Lease, type LeaseOptions, releaseLease } from '#host/lease'
import { isStorageProblem } from '#host/storage-problem.ts'
import { SECOND_MS } from '#host/time.ts'
import { openTmux } from '#host/tmux'
import { refuseNewerFormat, type Session } from '#session'
import { requireRunnerLease } from '#session/lease'
import { describeEvent, type Event, type EventBody, LogWriter, readLog, watchPaths } from '#session/log'
import { applyEvent, computeStatus, isSettled, type SessionStatus } from '#session/status'
import { callHuman, type RunnerContext } from './context.ts'
import { endSession } from './end-session.ts'
import { NotificationQueue } from './notifications.ts'
import { openSession } from './open-session.ts'
import { judgeWithoutOrchestrator } from './rounds/parked-round.ts'
import { writeStopGate } from './stop-gate.ts'
import { createTick } from './tick.ts'

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
export async function closeSession(
  session: Session,
  config: Config,
  actor: string,
  reason: string,
  lease: LeaseOptions = {},
): Promise<void> {
  const runner = await Runner.acquire(session, config, writeToWindow, lease)
  try {
    await endSession(runner, actor, reason)
  } catch (error) {
    runner.release() // The daemon closes sessions too, and goes on.
    throw error
  }
}

/** Take a closed session up again: become its runner for as long as it takes to record that. Exit 5 where one is alive. */
export async function reopenSession(session: Session, config: Config, actor: string): Promise<void> {
  const runner = await Runner.acquire(session, config, () => undefined)
  try {
    fs.rmSync(session.paths.stopRequest, { force: true })
    runner.record({ type: 'session.reopened', actor })
  } finally {
    runner.release()
  }
}

/**
 * Ask the judge again about a session without a runner, such as a closed one: become its runner for as long as that takes. The
 * verdict that follows is final. Exit 5 where the judge may not be asked again, 13 where the record was changed.
 */
export async function askJudgeAgain(session: Session, config: Config, actor: string): Promise<void> {
  const runner = await Runner.acquire(session, config, () => undefined)
  try {
    await judgeWithoutOrchestrator(runner, actor)
  } finally {
    // Only the runner that closes a session releases its lease. A process that ends gives it up all the same.
    if (runner.status.closed) runner.release()
  }
}

/** Be the runner of a closed session for as long as `use` takes, as the only one that may record. Exit 5 where one is alive. */
export async function withRunner<Result>(
  session: Session,
  config: Config,
  use: (context: RunnerContext) => Promise<Result>,
): Promise<Result> {
  const runner = await Runner.acquire(session, config, () => undefined)
  try {
    return await use(runner)
  } finally {
    runner.release()
  }
}

/**
 * The only writer of a session: while this process holds the lease, it alone writes events, seal, lock, evidence and verdict.
 * What it does at each tick is in `tick.ts`.
 */
class Runner implements RunnerContext {
  readonly session: Session
  readonly tmux
  readonly clock = new AwakeClock()
  readonly endings: RunnerContext['endings'] = new Map()
  readonly dependencies: RunnerContext['dependencies'] = new Map()
  readonly checkResults: RunnerContext['checkResults'] = new Map()
  readonly log: LogWriter
  status: SessionStatus
  private readonly readFreshConfig: () => Config
  private readonly lease: Lease
  private readonly notifications: NotificationQueue
  private readonly writeLine: (line: string) => void
  private isClosed = false
  private failures = 0

  static async acquire(
    session: Session,
    config: Config,
    writeLine = writeToWindow,
    options: LeaseOptions = {},
  ): Promise<Runner> {
    refuseNewerFormat(session)
    return Runner.create(session, config, await requireRunnerLease(session, options), writeLine)
  }

  /** A log that cannot be read leaves no lease with a process that goes on. */
  private static create(session: Session, config: Config, lease: Lease, writeLine: (line: string) => void): Runner {
    try {
      return new Runner(session, config, lease, writeLine)
    } catch (error) {
      releaseLease(session.paths.runnerLease, lease)
      throw error
    }
  }

  private constructor(session: Session, config: Config, lease: Lease, writeLine: (line: string) => void) {
    this.session = session
    this.lease = lease
    this.writeLine = writeLine
    this.readFreshConfig = createConfigReader(config, writeLine)
    this.tmux = openTmux(config.home)
    this.log = new LogWriter(session.paths.events, session.id)
    const { events, hashes } = readLog(session.paths.events)
    this.status = computeStatus(events)
    const logged = events.map((event, index) => ({ event, head: hashes[index] }))
    const unsent = logged.filter(({ event }) => event.seq > this.status.lastNotifiedSeq)
    this.notifications = new NotificationQueue(this, unsent)
  }

  /** The settings as they are now: `.env` may change while a session runs. One that cannot be read changes nothing. */
  get config(): Config {
    return this.readFreshConfig()
  }

  isOwner(): boolean {
    return holdsLease(this.session.paths.runnerLease, this.lease)
  }

  release(): void {
    this.isClosed = true
    this.clock.stop()
    releaseLease(this.session.paths.runnerLease, this.lease)
  }

  record(body: EventBody): Event {
    if (!this.isOwner())
      throw new DispatchError('another runner has taken over; this one writes nothing more', {
        exitCode: exitCodes.conflict,
      })
    const damage = this.log.checkForDamage()
    if (damage === undefined) {
      const kept = this.applyKept()
      return kept && isSameEvent(kept, body) ? kept : this.append(body)
    }
    this.reportTampering(damage)
    throw new DispatchError(damage, { exitCode: exitCodes.integrity })
  }

  reportTampering(damage: string): void {
    this.append({ type: 'human.needed', reason: damage, exitCode: exitCodes.integrity })
  }

  /** A broken repository may recover: try again, and call a person when it does not. A full disk only needs room. */
  recordFailure(error: unknown): void {
    this.writeLine(`${error instanceof Error ? error.stack : error}`)
    this.failures++
    if (error instanceof DispatchError && error.exitCode === exitCodes.conflict) this.isClosed = true
    else if (isStorageProblem(error))
      return // There is nothing to decide: it goes on when there is room.
    else if (this.failures >= MAX_CONSECUTIVE_FAILURES && !isSettled(this.status)) {
      const reason = `the runner fails repeatedly: ${error instanceof Error ? error.message : error}`
      try {
        callHuman(this, reason.slice(0, 500))
      } catch (cause) {
        this.writeLine(`${cause}`) // On a full disk nothing can be recorded. The next failure tries again.
      }
    }
  }

  async run(): Promise<void> {
    const { paths } = this.session
    const tick = createTick(this)
    openSession(this, this.lease.generation)
    const watch = await watchPaths([paths.hookInbox, paths.requests, paths.messages, paths.folder], TICK_MS)
    try {
      while (!this.isClosed) {
        try {
          if (!this.isOwner()) break
          const damage = this.log.checkForDamage()
          if (damage !== undefined) this.reportTampering(damage)
          this.applyKept()
          this.recordSleep()
          this.notifications.flush()
          await tick()
          this.failures = 0
        } catch (error) {
          this.recordFailure(error)
        }
        if (!this.isClosed) await watch.next()
      }
    } finally {
      await watch.close()
    }
  }

  private recordSleep(): void {
    const seconds = Math.round(this.clock.takeSleep() / SECOND_MS)
    if (seconds > 0) this.record({ type: 'machine.slept', seconds })
  }

  private append(body: EventBody): Event {
    return this.apply(this.log.append(body, new Date()))
  }

  /** A line that is there although the disk reported an error counts, and is not written twice. */
  private applyKept(): Event | undefined {
    const kept = this.log.takeKept()
    return kept && this.apply(kept)
  }

  private apply(event: Event): Event {
    this.status = applyEvent(this.status, event)
    writeStopGate(this)
    const description = describeEvent(event)
    if (description) this.writeLine(`${event.time.slice(11, 19)}  ${description.actor.padEnd(14)} ${description.text}`)
    this.notifications.add({ event, head: this.log.head })
    return event
  }
}

function isSameEvent({ seq: _, time: __, ...kept }: Event, body: EventBody): boolean {
  return isDeepStrictEqual(kept, body)
}

/** What a runner reports is read in its window. */
function writeToWindow(line: string): void {
  process.stdout.write(`${line}\n`)
}
