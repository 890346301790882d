import { oneLine } from '../host/index.ts'
import { settled } from '../session/index.ts'
import { goOn, readLimit, resumeAt } from './limit.ts'
import type { Running } from './running.ts'
import type { Told } from './spool.ts'

/**
 * An orchestrator at its vendor's usage limit is parked: nobody needs to do anything, and it goes on when the limit is over.
 *
 *   limit.reached -> (the time comes, or a person prompts) -> prompted -> nothing refused: limit.lifted
 *        ^                                                       |
 *        '------- refused again (an event only if the time is another) -'
 */
export class Parking {
  private readonly running: Running
  private prompted: { at: number; by: string } | undefined

  constructor(running: Running) {
    this.running = running
  }

  /** What the orchestrator's own hooks say. True when it tells of a limit, so that nobody is called for it. */
  hear(told: Told): boolean {
    const { hook_event_name: event, prompt } = told
    if (event === 'StopFailure') return this.refused(told)
    if (event === 'UserPromptSubmit')
      this.prompted = { at: Date.now(), by: prompt?.includes(goOn) ? 'the clock' : 'you' }
    else if (proofs.includes(event)) this.lift(this.prompted?.by ?? 'the clock')
    return false
  }

  /** Since it was prompted the orchestrator has done something, or at least nothing was refused. */
  goesOn(): void {
    if (this.prompted) this.lift(this.prompted.by)
  }

  look(): void {
    if (this.prompted && Date.now() - this.prompted.at > quiet) this.goesOn()
  }

  private refused({ error = '', error_details, last_assistant_message }: Told): boolean {
    this.prompted = undefined
    const words = oneLine([last_assistant_message, error_details].filter(Boolean).join(' '), 200)
    const limit = readLimit(error, words, new Date())
    if (limit === undefined) return false
    const { status } = this.running
    const until = limit.until?.toISOString() ?? null
    const isNews = status.limit === null || status.limit.until !== until
    if (isNews && !settled(status)) this.running.record({ is: 'limit.reached', why: words || error, until })
    return true
  }

  private lift(by: string): void {
    this.prompted = undefined
    if (this.running.status.limit) this.running.record({ is: 'limit.lifted', by })
  }
}

/** So long after a prompt nothing has been refused: claude says a refusal within a second or two. In milliseconds. */
const quiet = 15_000

/** What only comes of a turn in which the model has spoken. */
const proofs = ['Stop', 'SubagentStop', 'PostToolUseFailure', 'PermissionRequest', 'PermissionDenied']

/**
 * When to ask next whether the limit is over: at its end; and every half an hour when it has said none, every five minutes
 * when it has not ended by then.
 */
export class Reminder {
  private of: Running['status']['limit'] = null
  private last = 0
  private tries = 0

  isDue({ status, session }: Running, now = Date.now()): boolean {
    const { limit } = status
    if (limit?.until !== this.of?.until || (limit === null) !== (this.of === null))
      Object.assign(this, { last: now, tries: 0 })
    this.of = limit
    if (limit === null || settled(status)) return false
    if (limit.until === null) return now >= this.last + half
    const end = resumeAt(new Date(limit.until), session.id)
    return now >= (this.tries === 0 ? end : Math.max(end, this.last + overdue))
  }

  asked(now = Date.now()): void {
    this.last = now
    this.tries++
  }
}

const half = 30 * 60_000
const overdue = 5 * 60_000
