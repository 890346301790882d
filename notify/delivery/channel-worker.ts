import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { type OutgoingNotification, sendNotification } from '../channels/send.ts'
import { classifySendResult, type SendResult } from '../channels/send-result.ts'
import { appendDeliveryLog, type DeliveryLogEntry } from '../delivery-log.ts'
import { type Channel, listEnabledChannels } from '../outbox.ts'
import { composeBatchNotification, extractState, type NotificationBatch, pickNextBatch } from './batch.ts'
import { alertDeadLetters } from './dead-letter-alert.ts'
import { OutboxFolders, parseIdFromName } from './outbox-folders.ts'
import { quietUntil } from './quiet-hours.ts'
import * as standings from './retry-state.ts'
import type { DeliveryTiming } from './timing.ts'

const HOUR_MS = 3600 * 1000

/**
 * One channel and its messages, which nobody else moves while the right to deliver is held. What is about to be sent is
 * written down first, with all that goes with it, so that after a kill the same goes again under the same name, and what
 * was taken does not.
 */
export class ChannelWorker {
  private readonly home: string
  private readonly channel: Channel
  private readonly timing: DeliveryTiming
  private readonly outbox: OutboxFolders
  private readonly retryState: standings.RetryState
  private scannedAtMs = 0
  private prunedAtMs = 0
  private emptySinceMs: number | undefined
  private hasAlerted = false
  private readonly deferred = new Set<string>()

  constructor(home: string, channel: Channel, pace: DeliveryTiming) {
    this.home = home
    this.channel = channel
    this.timing = pace
    this.outbox = new OutboxFolders(home, channel)
    this.retryState = standings.readRetryState(home, channel)
  }

  /** The folder in which something new may lie. */
  get folder(): string {
    return this.outbox.folders.waiting
  }

  /** Nothing has waited here for a while that is ours to send. */
  isIdle(now: number): boolean {
    return this.emptySinceMs !== undefined && now - this.emptySinceMs >= this.timing.lingerMs
  }

  /** The next step: look if it is time, send what may go. Answers after how many milliseconds to come again. */
  async step(config: Config): Promise<number> {
    const now = Date.now()
    const isOn = listEnabledChannels(config).includes(this.channel)
    if (Math.abs(now - this.scannedAtMs) >= this.timing.rescanMs || this.outbox.entries.length === 0)
      this.scan(now, isOn)
    const parcel = !isOn || this.retryState.pausedUntilMs > now ? undefined : this.pickNext(config, now)
    if (parcel === undefined) {
      this.alertDeadLettersIfAny(config, now)
      return Math.min(this.timing.rescanMs, Math.max(this.retryState.pausedUntilMs - now, 0) || this.timing.rescanMs)
    }
    const rest = this.computeBucketWaitMs(now)
    if (rest > 0) return Math.min(this.timing.rescanMs, rest)
    await this.sendBatch(parcel, config)
    return 0
  }

  /** What waits on a channel that is off is left to whoever has it on: the settings of two shells may differ. */
  private scan(now: number, isOn: boolean): void {
    this.scannedAtMs = now
    this.outbox.scan()
    this.finishAttempts()
    standings.clearImpossibleWaits(this.retryState, { pace: this.timing, now })
    for (const name of this.outbox.unreadable) this.giveUpOn('outbox', [name], { reason: 'it does not read' })
    if (!isOn) this.dropExpired('the channel is switched off', now)
    this.emptySinceMs = isOn && this.outbox.entries.length > 0 ? undefined : (this.emptySinceMs ?? now)
    if (now - this.prunedAtMs < HOUR_MS) return
    this.prunedAtMs = now
    this.outbox.prune(now)
  }

  private pickNext({ QUIET_HOURS: quietHours }: Config, nowMs: number): NotificationBatch | undefined {
    const { batching, settleMs } = this.timing
    for (const { name, queued } of this.outbox.entries) {
      const until = this.deferred.has(name) ? undefined : quietUntil(queued, quietHours, nowMs)
      if (until === undefined) continue
      this.deferred.add(name)
      this.appendLog(queued.sessionId, [name], 'held', {
        reason: `quiet hours, until ${new Date(until).toISOString()}`,
      })
    }
    return pickNextBatch(this.outbox.entries, {
      attempts: this.retryState.attempts,
      quietHours,
      batching,
      settleMs,
      nowMs,
    })
  }

  /** Milliseconds until the bucket gives another one. */
  private computeBucketWaitMs(now: number): number {
    if (this.channel !== 'phone') return 0
    return Math.ceil((1 - standings.computeTokens(this.retryState, this.timing, now)) * this.timing.refillMs)
  }

  private async sendBatch(batch: NotificationBatch, config: Config): Promise<void> {
    const { retryState, timing } = this
    const fileNames = batch.entries.map(({ name }) => name)
    const now = Date.now()
    retryState.attempts[batch.sessionId] ??= { fileNames, failures: 0, waitUntilMs: 0, isShort: false }
    retryState.tokens = standings.computeTokens(retryState, timing, now) - 1
    retryState.tokensCountedAtMs = now
    this.save()
    const delivery = await sendNotification(toOutgoing(batch), this.channel, {
      config,
      timeoutMs: timing.attemptTimeoutMs,
    })
    this.recordResult(batch.sessionId, fileNames, delivery)
    this.save()
  }

  private recordResult(sessionId: string, names: string[], delivery: SendResult): void {
    const { retryState, timing } = this
    const now = Date.now()
    const what = classifySendResult(delivery)
    if (what === 'sent') this.moveEntries(names, 'sent')
    else retryState.lastFailure = { at: now, reason: delivery.reason }
    if (what === 'sent') standings.recordSuccess(retryState, now)
    if (what === 'busy') standings.recordBusy(retryState, delivery, { pace: timing, now })
    if (what === 'unreachable') standings.recordUnreachable(retryState, sessionId, delivery, { pace: timing, now })
    this.save() // What the server said of waiting must outlive a kill that comes now.
    this.appendLog(sessionId, names, what, delivery)
    if (what === 'unreachable' || what === 'busy') this.dropExpired(delivery.reason, now)
    if (what !== 'refused') return
    const tried = retryState.attempts[sessionId]
    if (tried === undefined || tried.isShort || delivery.isPermanent) this.giveUpOn(sessionId, names, delivery)
    else tried.isShort = true
  }

  /** A try that a kill cut short after the server had taken it, or after it was given up: the rest follows. */
  private finishAttempts(): void {
    const waiting = new Set(this.outbox.entries.map(({ name }) => name))
    for (const [of, { fileNames }] of Object.entries(this.retryState.attempts)) {
      const gone = fileNames.filter(name => !waiting.has(name))
      if (gone.length === 0) continue
      const to = gone.map(name => this.outbox.findFolder(name)).find(place => place !== undefined)
      if (to !== undefined) this.moveEntries(fileNames, to)
      if (to !== undefined)
        this.appendLog(of, fileNames, to, { reason: to === 'dead' ? (this.retryState.lastFailure?.reason ?? '') : '' })
      delete this.retryState.attempts[of]
    }
  }

  /** Old is what could not be sent for three days, and cannot now: a machine that slept so long tries first. */
  private dropExpired(why: string, now: number): void {
    const old = this.outbox.entries.filter(({ queued }) => now - Date.parse(queued.at) > this.timing.maxAgeMs)
    for (const { name } of old) this.forgetAttempt([name])
    if (old.length > 0) this.save() // Or a kill would have the rest of a parcel given up with them.
    for (const { name, queued } of old)
      this.giveUpOn(queued.sessionId, [name], {
        reason: `older than ${Math.round(this.timing.maxAgeMs / HOUR_MS)} hours: ${why}`,
      })
  }

  /** Give messages up. */
  private giveUpOn(sessionId: string, names: string[], { reason }: { reason: string }): void {
    this.moveEntries(names, 'dead')
    this.appendLog(sessionId, names, 'dead', { reason })
    this.hasAlerted = false
  }

  private moveEntries(names: string[], to: 'sent' | 'dead'): void {
    this.outbox.moveFinished(names, to)
    this.forgetAttempt(names)
  }

  private forgetAttempt(names: string[]): void {
    for (const [key, tried] of Object.entries(this.retryState.attempts))
      if (tried.fileNames.some(name => names.includes(name))) delete this.retryState.attempts[key]
  }

  /** Say on another channel what this one gave up, once there is nothing to try. */
  private alertDeadLettersIfAny(config: Config, now: number): void {
    if (this.hasAlerted || !listEnabledChannels(config).includes(this.channel)) return
    this.hasAlerted = alertDeadLetters(this.home, this.channel, {
      config,
      reason: this.retryState.lastFailure?.reason ?? '',
      now,
    })
  }

  private appendLog(
    sessionId: string,
    names: string[],
    what: DeliveryLogEntry['what'],
    how: { reason: string; status?: number },
  ): void {
    const ids = names.map(parseIdFromName)
    const { reason, status } = how
    const entry = { at: new Date().toISOString(), id: ids[0] ?? '', sessionId, channel: this.channel, what, reason }
    const more = { ...(status === undefined ? {} : { status }), ...(ids.length === 1 ? {} : { batchIds: ids }) }
    this.ignoreDiskFull(() => appendDeliveryLog(this.home, { ...entry, ...more }))
  }

  private save(): void {
    this.ignoreDiskFull(() => standings.writeRetryState(this.home, this.channel, this.retryState))
  }

  /** A full disk is what people must hear of: it costs the ledger a line, and no notice its way. */
  private ignoreDiskFull(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      process.stderr.write(`${this.channel}: ${error.message}\n`)
    }
  }
}

function toOutgoing(batch: NotificationBatch): OutgoingNotification {
  const [first] = batch.entries
  const last = batch.entries.at(-1)
  if (first === undefined || last === undefined) throw new Error(`a parcel of ${batch.sessionId} holds no message`)
  const notification = composeBatchNotification(batch)
  const text = batch.entries.length === 1 ? extractState(last.queued) : notification.body
  return { id: first.queued.id, sessionId: batch.sessionId, at: last.queued.at, notification, text }
}
