import { type Config, DispatchError } from '../host/index.ts'
import { attempt, type Outgoing } from './attempt.ts'
import { announceDeaths } from './deaths.ts'
import { type Delivery, outcomeOf } from './delivery.ts'
import { type Entry, enter } from './ledger.ts'
import { type Channel, channelsOf } from './outbox.ts'
import type { Pace } from './pace.ts'
import { nextParcel, noticeFor, type Parcel, stateOf } from './parcel.ts'
import { heldUntil } from './quiet.ts'
import { idIn, Shelf } from './shelf.ts'
import * as standings from './standing.ts'

const hour = 3600 * 1000

/**
 * One channel and its messages, which nobody else moves while the right to deliver is held. What is about to be sent is
 * written down first, with all that goes with it, so that after a kill the same goes again under the same name, and what
 * was taken does not.
 */
export class Route {
  private readonly home: string
  private readonly channel: Channel
  private readonly pace: Pace
  private readonly shelf: Shelf
  private readonly standing: standings.Standing
  private looked = 0
  private pruned = 0
  private emptySince: number | undefined
  private mourned = false
  private readonly held = new Set<string>()

  constructor(home: string, channel: Channel, pace: Pace) {
    this.home = home
    this.channel = channel
    this.pace = pace
    this.shelf = new Shelf(home, channel)
    this.standing = standings.readStanding(home, channel)
  }

  /** The folder in which something new may lie. */
  get folder(): string {
    return this.shelf.folders.waiting
  }

  /** Nothing has waited here for a while that is ours to send. */
  isIdle(now: number): boolean {
    return this.emptySince !== undefined && now - this.emptySince >= this.pace.linger
  }

  /** The next step: look if it is time, send what may go. Answers after how many milliseconds to come again. */
  async step(config: Config): Promise<number> {
    const now = Date.now()
    const isOn = channelsOf(config).includes(this.channel)
    if (Math.abs(now - this.looked) >= this.pace.rescan || this.shelf.waiting.length === 0) this.look(now, isOn)
    const parcel = !isOn || this.standing.until > now ? undefined : this.next(config, now)
    if (parcel === undefined) {
      this.mourn(config, now)
      return Math.min(this.pace.rescan, Math.max(this.standing.until - now, 0) || this.pace.rescan)
    }
    const rest = this.bucketRest(now)
    if (rest > 0) return Math.min(this.pace.rescan, rest)
    await this.send(parcel, config)
    return 0
  }

  /** What waits on a channel that is off is left to whoever has it on: the settings of two shells may differ. */
  private look(now: number, isOn: boolean): void {
    this.looked = now
    this.shelf.look()
    this.finishTries()
    standings.forgetImpossibleWaits(this.standing, { pace: this.pace, now })
    for (const name of this.shelf.unreadable) this.give('outbox', [name], { why: 'it does not read' })
    if (!isOn) this.buryOld('the channel is switched off', now)
    this.emptySince = isOn && this.shelf.waiting.length > 0 ? undefined : (this.emptySince ?? now)
    if (now - this.pruned < hour) return
    this.pruned = now
    this.shelf.prune(now)
  }

  private next({ QUIET_HOURS: quietHours }: Config, now: number): Parcel | undefined {
    const { together, settling } = this.pace
    for (const { name, message } of this.shelf.waiting) {
      const until = this.held.has(name) ? undefined : heldUntil(message, quietHours, now)
      if (until === undefined) continue
      this.held.add(name)
      this.note(message.of, [name], 'held', { why: `quiet hours, until ${new Date(until).toISOString()}` })
    }
    return nextParcel(this.shelf.waiting, { tries: this.standing.tries, quietHours, together, settling, now })
  }

  /** Milliseconds until the bucket gives another one. */
  private bucketRest(now: number): number {
    if (this.channel !== 'phone') return 0
    return Math.ceil((1 - standings.tokensAt(this.standing, this.pace, now)) * this.pace.refill)
  }

  private async send(parcel: Parcel, config: Config): Promise<void> {
    const { standing, pace } = this
    const names = parcel.lying.map(({ name }) => name)
    const now = Date.now()
    standing.tries[parcel.of] ??= { names, failures: 0, until: 0, short: false }
    Object.assign(standing, { tokens: standings.tokensAt(standing, pace, now) - 1, counted: now })
    this.save()
    const delivery = await attempt(outgoing(parcel), this.channel, { config, deadline: pace.attempt })
    this.settle(parcel.of, names, delivery)
    this.save()
  }

  private settle(of: string, names: string[], delivery: Delivery): void {
    const { standing, pace } = this
    const now = Date.now()
    const what = outcomeOf(delivery)
    if (what === 'sent') this.move(names, 'sent')
    else standing.trouble = { at: now, why: delivery.why }
    if (what === 'sent') standings.thrive(standing, now)
    if (what === 'busy') standings.slowDown(standing, delivery, { pace, now })
    if (what === 'unreachable') standings.postpone(standing, of, delivery, { pace, now })
    this.save() // What the server said of waiting must outlive a kill that comes now.
    this.note(of, names, what, delivery)
    if (what === 'unreachable' || what === 'busy') this.buryOld(delivery.why, now)
    if (what !== 'refused') return
    const tried = standing.tries[of]
    if (tried === undefined || tried.short || delivery.hopeless) this.give(of, names, delivery)
    else tried.short = true
  }

  /** A try that a kill cut short after the server had taken it, or after it was given up: the rest follows. */
  private finishTries(): void {
    const waiting = new Set(this.shelf.waiting.map(({ name }) => name))
    for (const [of, { names }] of Object.entries(this.standing.tries)) {
      const gone = names.filter(name => !waiting.has(name))
      if (gone.length === 0) continue
      const to = gone.map(name => this.shelf.placeOf(name)).find(place => place !== undefined)
      if (to !== undefined) this.move(names, to)
      if (to !== undefined) this.note(of, names, to, { why: to === 'dead' ? (this.standing.trouble?.why ?? '') : '' })
      delete this.standing.tries[of]
    }
  }

  /** Old is what could not be sent for three days, and cannot now: a machine that slept so long tries first. */
  private buryOld(why: string, now: number): void {
    const old = this.shelf.waiting.filter(({ message }) => now - Date.parse(message.at) > this.pace.age)
    for (const { name } of old) this.forgetTry([name])
    if (old.length > 0) this.save() // Or a kill would have the rest of a parcel given up with them.
    for (const { name, message } of old)
      this.give(message.of, [name], { why: `older than ${Math.round(this.pace.age / hour)} hours: ${why}` })
  }

  /** Give messages up. */
  private give(of: string, names: string[], { why }: { why: string }): void {
    this.move(names, 'dead')
    this.note(of, names, 'dead', { why })
    this.mourned = false
  }

  private move(names: string[], to: 'sent' | 'dead'): void {
    this.shelf.done(names, to)
    this.forgetTry(names)
  }

  private forgetTry(names: string[]): void {
    for (const [key, tried] of Object.entries(this.standing.tries))
      if (tried.names.some(name => names.includes(name))) delete this.standing.tries[key]
  }

  /** Say on another channel what this one gave up, once there is nothing to try. */
  private mourn(config: Config, now: number): void {
    if (this.mourned || !channelsOf(config).includes(this.channel)) return
    this.mourned = announceDeaths(this.home, this.channel, { config, why: this.standing.trouble?.why ?? '', now })
  }

  private note(of: string, names: string[], what: Entry['what'], how: { why: string; status?: number }): void {
    const ids = names.map(idIn)
    const { why, status } = how
    const entry = { at: new Date().toISOString(), id: ids[0] ?? '', of, channel: this.channel, what, why }
    const more = { ...(status === undefined ? {} : { status }), ...(ids.length === 1 ? {} : { with: ids }) }
    this.evenWithoutRoom(() => enter(this.home, { ...entry, ...more }))
  }

  private save(): void {
    this.evenWithoutRoom(() => standings.writeStanding(this.home, this.channel, this.standing))
  }

  /** A full disk is what people must hear of: it costs the ledger a line, and no notice its way. */
  private evenWithoutRoom(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      process.stderr.write(`${this.channel}: ${error.message}\n`)
    }
  }
}

function outgoing(parcel: Parcel): Outgoing {
  const [first] = parcel.lying
  const last = parcel.lying.at(-1)
  if (first === undefined || last === undefined) throw new Error(`a parcel of ${parcel.of} holds no message`)
  const notice = noticeFor(parcel)
  const text = parcel.lying.length === 1 ? stateOf(last.message) : notice.body
  return { id: first.message.id, of: parcel.of, at: last.message.at, notice, text }
}
