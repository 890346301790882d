import fs from 'node:fs'
import path from 'node:path'
import { holdReply } from '../agents/index.ts'
import {
  type Config,
  DispatchError,
  exits,
  freshConfig,
  identify,
  killFamily,
  printable,
  readIfPresent,
  tmuxOf,
  writeAtomic,
} from '../host/index.ts'
import {
  advance,
  type Claim,
  type Commit,
  changedSinceVerdict,
  claim,
  type Event,
  type Happening,
  holder,
  holds,
  nextInRow,
  prepareTrees,
  readLog,
  recordOf,
  refuseNewer,
  release,
  renderVerdict,
  Scribe,
  type Session,
  type Status,
  settled,
  statusOf,
  tell,
  voidBy,
  wakeOn,
} from '../session/index.ts'
import { amendContract } from './amend.ts'
import { watchBudget } from './budget.ts'
import { commission } from './commission.ts'
import { answer, type Request, unanswered } from './desk.ts'
import { drafts, holdReason } from './hold.ts'
import { hashOf } from './human.ts'
import { Notices } from './notices.ts'
import { OrchestratorWatch } from './orchestrator.ts'
import { giveUp, type Reply, type Running, refuse } from './running.ts'
import { Screens } from './screen.ts'
import { checkContract, relayContract } from './seal.ts'
import { furnish } from './setup.ts'
import { drainSpool } from './spool.ts'
import { tmuxSession } from './start.ts'
import { submit } from './submit.ts'
import { Voice } from './voice.ts'
import { stopWorkers, waited, watchWorkers } from './workers.ts'

/** Failures in a row after which a person is called; each is a tick apart. */
const enough = 40

/** Waiting ends early when the human has said something: claude takes it up only between two tools. */
const wordComes: Reply = {
  exit: 0,
  text: 'The human has said something; it comes next. The workers go on. Heed it, then run `wait-workers` again.',
}

/** How often everything is looked at again, whether or not a watch said so, in milliseconds. */
const tick = 250

/**
 * Run one session until it is closed. One writer: this process alone writes events, seal, lock, evidence and verdict.
 * Throws exit 5 when another runner of the session lives.
 */
export async function runSession(session: Session, config: Config): Promise<void> {
  const runner = await Runner.take(session, config)
  await runner.run()
}

/** Close a session whose runner is gone: become its runner for as long as that takes. */
export async function closeSession(session: Session, config: Config, by: string, why: string): Promise<void> {
  const runner = await Runner.take(session, config)
  await runner.close(by, why)
}

/** The file by which a door asks a living runner to close. */
export function askToClose(session: Session, why: string): void {
  refuseNewer(session)
  writeAtomic(path.join(session.paths.folder, 'stop'), why)
}

class Runner implements Running {
  readonly session: Session
  private readonly fresh: () => Config
  readonly tmux
  readonly ended: Running['ended'] = new Map()
  readonly setups: Running['setups'] = new Map()
  readonly seen: Running['seen'] = new Map()
  readonly log: Scribe
  status: Status
  private readonly claimed: Claim
  private readonly screens = new Screens()
  private busy: Promise<void> | undefined
  private closed = false
  private readonly orchestrator = new OrchestratorWatch(this)
  private readonly voice = new Voice(this, error => this.stumble(error))
  private readonly notices: Notices
  private failures = 0

  static async take(session: Session, config: Config): Promise<Runner> {
    refuseNewer(session)
    const who = await identify(process.pid)
    const claimed = who && (await claim(session.paths.runner, who))
    const first = holder(session.paths.runner)
    if (!claimed)
      throw new DispatchError(`session ${session.id} has a runner already: process ${first?.pid ?? 'unknown'}`, {
        exit: exits.conflict,
      })
    return new Runner(session, config, claimed)
  }

  private constructor(session: Session, config: Config, claimed: Claim) {
    this.session = session
    this.fresh = freshConfig(config, problem => process.stdout.write(`${problem}\n`))
    this.tmux = tmuxOf(config.home)
    this.claimed = claimed
    this.log = new Scribe(session.paths.events, session.id)
    const { events, hashes } = readLog(session.paths.events)
    this.status = statusOf(events)
    const unsaid = events.map((event, at) => ({ event, head: hashes[at] }))
    this.notices = new Notices(
      this,
      unsaid.filter(({ event }) => event.seq > this.status.noticed),
    )
  }

  /** The settings as they are now: `.env` may change while a session runs, and one that no longer reads changes nothing. */
  get config(): Config {
    return this.fresh()
  }

  record(happening: Happening): Event {
    if (!holds(this.session.paths.runner, this.claimed))
      throw new DispatchError('another runner has taken over; this one writes nothing more', { exit: exits.conflict })
    const harm = this.log.look()
    if (harm === undefined) return this.put(happening)
    this.tellHarm(harm)
    throw new DispatchError(harm, { exit: exits.integrity })
  }

  private put(happening: Happening): Event {
    const event = this.log.append(happening, new Date())
    this.status = advance(this.status, event)
    this.layHold()
    const moment = tell(event)
    if (moment) process.stdout.write(`${event.at.slice(11, 19)}  ${moment.who.padEnd(14)} ${moment.what}\n`)
    this.notices.take({ event, head: this.log.head })
    return event
  }

  /** Somebody has had a hand in the log: it goes on behind what this runner knows, so that the break shows, and a person is called. */
  private tellHarm(harm: string): void {
    this.put({ is: 'orchestrator.gave-up', why: harm, exit: exits.integrity })
  }

  async run(): Promise<void> {
    const { paths } = this.session
    await this.open()
    const waker = await wakeOn([paths.spool, paths.requests, paths.human, paths.folder], tick)
    try {
      while (!this.closed) {
        await this.lookAround().then(
          () => {
            this.failures = 0
          },
          error => this.stumble(error),
        )
        if (!this.closed) await waker.next()
      }
    } finally {
      await waker.close()
    }
  }

  /** A full disk or a broken repository may mend itself: try again, and call a person when it does not. */
  private stumble(error: unknown): void {
    process.stdout.write(`${error instanceof Error ? error.stack : error}\n`)
    this.failures++
    if (error instanceof DispatchError && error.exit === exits.conflict) this.closed = true
    else if (this.failures === enough && !settled(this.status))
      giveUp(
        this,
        `dispatch's own runner fails again and again: ${error instanceof Error ? error.message : error}`.slice(0, 500),
      )
  }

  /** End every process of the session and say so. What is on disk stays. */
  async close(by: string, why: string): Promise<void> {
    const ended = stopWorkers(this, `the session was closed by ${by}`).then(() => relayContract(this))
    const trouble = await ended.then(
      () => '',
      error => `; on the way: ${error instanceof Error ? error.message : error}`,
    )
    this.record({ is: 'session.closed', by, why: `${why}${trouble}`.slice(0, 400) })
    await this.endProcesses()
  }

  private async open(): Promise<void> {
    const { session } = this
    if (this.status.seq === 0) {
      const { task, repository, models, rounds, judgedOnly, sandbox } = session.opening
      this.record({
        is: 'session.opened',
        format: 1,
        task,
        repository: repository?.path ?? null,
        uncommitted: repository?.uncommitted ?? 0,
        models,
        rounds,
        judgedOnly,
        sandbox,
        sha256: hashOf(fs.readFileSync(session.paths.session, 'utf8')),
      })
    }
    const { generation } = this.claimed
    const row = generation === 1 ? {} : { inRow: nextInRow(this.status, Date.now()) }
    this.record({ is: 'runner.started', pid: process.pid, generation, ...row })
    if (this.log.harm !== undefined && this.status.troubleExit !== exits.integrity) this.tellHarm(this.log.harm)
    relayContract(this)
    if (this.status.base) return this.setUp(this.status.base)
    if (fs.existsSync(session.paths.contractVersion(1)))
      return this.tellHarm('events.jsonl knows nothing of the contract that was sealed: somebody has cut it')
    try {
      const base = await prepareTrees(session.paths, `dispatch/${session.id}`, session.opening.repository?.path)
      const { repository } = session.opening
      if (repository && repository.commit !== base.commit)
        throw new Error(`${repository.path} has moved on to ${base.commit.slice(0, 10)} in the meantime; start again`)
      this.record({ is: 'base.prepared', ...base })
      this.setUp(base)
    } catch (error) {
      await this.failStart(
        `the repository could not be copied: ${error instanceof Error ? error.message : error}`,
        error instanceof DispatchError ? error.exit : exits.internal,
      )
    }
  }

  /** The project's dependencies are made while the orchestrator plans; a check or a worker that needs them waits. */
  private setUp(base: Commit): void {
    furnish(this, base).catch(error => this.stumble(error))
  }

  private async lookAround(): Promise<void> {
    const { paths } = this.session
    if (!holds(paths.runner, this.claimed)) {
      this.closed = true
      return
    }
    const harm = this.log.look()
    if (harm !== undefined) this.tellHarm(harm)
    const stop = readIfPresent(path.join(paths.folder, 'stop'))
    if (stop !== undefined) return this.close('you', stop)
    drainSpool(paths.spool, told => {
      this.orchestrator.hear(told)
      this.voice.hear(told)
    })
    this.serve()
    this.voice.look()
    await watchWorkers(this)
    this.screens.refresh(this.session, this.status.workers)
    const failed = await this.orchestrator.look()
    if (failed) return this.failStart(failed.why, failed.exit)
    await this.watchVerdict()
    this.watchDeadline()
    watchBudget(this)
    this.notices.flush()
    await this.closeWhenDone()
  }

  /** Take up the agents' requests: waiting ones are answered when their time has come, the others one at a time. */
  private serve(): void {
    const { paths } = this.session
    const requests = unanswered(paths)
    if (requests.length > 0) this.orchestrator.sign()
    for (const request of requests.filter(({ tool }) => tool === 'wait-workers')) {
      const reply = waited(this, request.words) ?? (this.voice.waits() ? wordComes : undefined)
      if (reply) answer(paths, request.id, reply)
    }
    const next = requests.find(({ tool }) => tool !== 'wait-workers')
    if (!next || this.busy) return
    this.busy = this.handle(next)
      .catch(error => this.answerFailure(error))
      .then(reply => {
        if (reply.exit === 2 && next.tool !== 'contract')
          this.record({ is: 'request.refused', tool: next.tool, why: reply.text.split('\n')[0]?.slice(0, 200) ?? '' })
        if (holds(paths.runner, this.claimed)) answer(paths, next.id, reply)
      })
      .catch(error => this.stumble(error))
      .finally(() => {
        this.busy = undefined
      })
  }

  /** What we could not do, in words the agent can act on; what somebody tampered with goes to the human. */
  private answerFailure(error: unknown): Reply {
    const why = error instanceof Error ? error.message : String(error)
    if (error instanceof DispatchError && error.exit === exits.integrity) return giveUp(this, why, error.exit)
    return {
      exit: exits.internal,
      text: `dispatch itself failed at this: ${why}\nTry once more; if it stays, run \`ask\` and tell the human.`,
    }
  }

  private async handle(request: Request): Promise<Reply> {
    if (this.status.refusals >= drafts && !this.status.contract)
      return giveUp(this, `the contract was refused ${this.status.refusals} times`)
    switch (request.tool) {
      case 'contract':
        return this.contract(request.words)
      case 'spawn-worker':
        return commission(this, request)
      case 'submit':
        return request.words.length === 0 ? submit(this, request.id) : refuse('usage: submit   (it takes no words)')
      case 'ask':
        return this.ask(request.words.join(' ').trim())
      case 'wait-workers':
        throw new Error('waiting is served elsewhere')
    }
  }

  private contract([what, ...why]: string[]): Reply | Promise<Reply> {
    if (what === 'check' && why.length === 0) return checkContract(this)
    if (what === 'amend') return amendContract(this, why.join(' ').trim())
    return refuse('usage: contract check, and once it is sealed: contract amend "why it must change"')
  }

  private ask(question: string): Reply {
    if (question === '' || /^--?h(elp)?$/.test(question)) return refuse('usage: ask "your question"')
    if (this.status.phase === 'asking')
      return refuse('the human has a question of yours already. End your turn: their answer will be your next message.')
    this.record({ is: 'question.asked', question: printable(question).slice(0, 4000) })
    return { exit: 0, text: 'The human has been told. End your turn now; their answer will be your next message.' }
  }

  private async failStart(why: string, exit: number): Promise<void> {
    this.record({ is: 'start.failed', why: why.slice(0, 3000), exit })
    await this.endProcesses()
  }

  private verdictSeen = 0

  /** A verdict is bound to the tree it judged: any change after it voids it, at the latest two seconds later. */
  private async watchVerdict(): Promise<void> {
    const { verdict } = this.status
    if (!verdict?.final || verdict.voided || Date.now() - this.verdictSeen < 2000) return
    this.verdictSeen = Date.now()
    const why = voidBy(await changedSinceVerdict(this.session.paths, this.status))
    if (why === undefined) return
    this.record({ is: 'verdict.voided', why })
    const written = recordOf(this.session.paths, this.status)
    if (written) writeAtomic(this.session.paths.verdict, renderVerdict(written, why))
  }

  private watchDeadline(): void {
    const { deadline } = this.session.opening
    const { late, verdict, phase } = this.status
    if (deadline === null || late || verdict?.final || phase === 'failed' || Date.now() < Date.parse(deadline)) return
    this.record({ is: 'deadline.passed', deadline })
  }

  private async closeWhenDone(): Promise<void> {
    const { phase, verdict } = this.status
    const done = verdict?.final && (phase === 'PASS' || phase === 'FAIL' || phase === 'INCONCLUSIVE')
    if (done && Date.now() - Date.parse(this.status.since) > this.config.KEEP_OPEN_SEC * 1000)
      await this.close('dispatch', `open for ${this.config.KEEP_OPEN_SEC} s after the verdict`)
  }

  private async endProcesses(): Promise<void> {
    this.closed = true
    const panes = (await this.tmux.panes()).filter(
      pane => pane.session === this.tmuxSession && pane.window !== 'runner' && !pane.dead,
    )
    for (const pane of panes) await killFamily(pane.pid, `DISPATCH_SESSION=${this.session.id}`)
    await killFamily(0, `DISPATCH_SESSION=${this.session.id}`)
    release(this.session.paths.runner, this.claimed)
    await this.tmux.closeSession(this.tmuxSession) // This process lives in it: the last thing it does.
  }

  /** The Stop hook reads a file, so the reason to go on must lie there before an agent hears of anything. */
  private layHold(): void {
    const reason = holdReason(this.status)
    const { hold } = this.session.paths
    const text = reason === undefined ? '' : holdReply(reason)
    if (text === (readIfPresent(hold) ?? '')) return
    if (reason === undefined) fs.rmSync(hold, { force: true })
    else writeAtomic(hold, text)
  }

  private get tmuxSession(): string {
    return tmuxSession(this.session)
  }
}
