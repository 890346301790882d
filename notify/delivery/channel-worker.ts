import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { HOUR_MS } from '#host/time.ts'
import { sendNotification } from '../channels/send.ts'
import { classifySendResult, type SendResult } from '../channels/send-result.ts'
import { appendDeliveryLog, type DeliveryLogEntry } from '../delivery-log.ts'
import { type Channel, listEnabledChannels, type OutgoingNotification, parseIdFromName } from '../outbox.ts'
import { composeBatchNotification, extractState, type NotificationBatch, pickNextBatch } from './batch.ts'
import { alertDeadLetters } from './dead-letter-alert.ts'
import { OutboxFolders } from './outbox-folders.ts'
import { computeQuietEndMs } from './quiet-hours.ts'
import {
  clearImpossibleWaits,
  computeTokens,
  type RetryState,
  readRetryState,
  recordBusy,
  recordSuccess,
  recordUnreachable,
  writeRetryState,
} from './retry-state.ts'
import type { DeliveryTiming } from './timing.ts'

/**
 * Delivers what waits on one channel. Only the process with the deliverer's lease may use it. A batch is written to the retry
 * state before it is sent. After a kill the same batch is sent again under the same id, and what was sent is not.
 */
export class ChannelWorker {
  private readonly home: string
  private readonly channel: Channel
  private readonly timing: DeliveryTiming
  private readonly outbox: OutboxFolders
  private readonly retryState: RetryState
  private scannedAtMs = 0
  private prunedAtMs = 0
  private emptySinceMs: number | undefined
  private hasAlerted = false
  /** Files whose deferral is in the delivery log. */
  private readonly deferred = new Set<string>()

  constructor(home: string, channel: Channel, timing: DeliveryTiming) {
    this.home = home
    this.channel = channel
    this.timing = timing
    this.outbox = new OutboxFolders(home, channel)
    this.retryState = readRetryState(home, channel)
  }

  /** Has nothing waited for `lingerMs`? What waits on a channel that is off does not count. */
  isIdle(now: number): boolean {
    return this.emptySinceMs !== undefined && now - this.emptySinceMs >= this.timing.lingerMs
  }

  /** Read the folders if it is time, and send one batch if one is due. Returns how many milliseconds to wait. */
  async step(config: Config): Promise<number> {
    const now = Date.now()
    const { rescanMs } = this.timing
    const isOn = listEnabledChannels(config).includes(this.channel)
    if (Math.abs(now - this.scannedAtMs) >= rescanMs || this.outbox.entries.length === 0) this.scan(now, isOn)
    const pauseMs = this.retryState.pausedUntilMs - now
    const batch = !isOn || pauseMs > 0 ? undefined : this.pickNext(config, now)
    if (batch === undefined) {
      this.alertDeadLettersOnce(config, now)
      return pauseMs > 0 ? Math.min(rescanMs, pauseMs) : rescanMs
    }
    const tokenWaitMs = this.computeTokenWaitMs(now)
    if (tokenWaitMs > 0) return Math.min(rescanMs, tokenWaitMs)
    await this.sendBatch(batch, config)
    return 0
  }

  private scan(now: number, isOn: boolean): void {
    this.scannedAtMs = now
    this.outbox.scan()
    this.finishAttempts()
    clearImpossibleWaits(this.retryState, { timing: this.timing, now })
    for (const name of this.outbox.unreadable) this.giveUp('outbox', [name], 'the file is damaged')
    // Another shell's settings may have this channel on, so only what is too old is given up.
    if (!isOn) this.giveUpExpired('the channel is switched off', now)
    this.emptySinceMs = isOn && this.outbox.entries.length > 0 ? undefined : (this.emptySinceMs ?? now)
    if (now - this.prunedAtMs < HOUR_MS) return
    this.prunedAtMs = now
    this.outbox.prune(now)
  }

  private pickNext({ QUIET_HOURS: quietHours }: Config, nowMs: number): NotificationBatch | undefined {
    this.logDeferrals(quietHours, nowMs)
    const { batching, settleMs } = this.timing
    const { attempts } = this.retryState
    return pickNextBatch(this.outbox.entries, { attempts, quietHours, batching, settleMs, nowMs })
  }

  private logDeferrals(quietHours: string, nowMs: number): void {
    for (const { name, queued } of this.outbox.entries) {
      const untilMs = this.deferred.has(name) ? undefined : computeQuietEndMs(queued, quietHours, nowMs)
      if (untilMs === undefined) continue
      this.deferred.add(name)
      const reason = `quiet hours until ${new Date(untilMs).toISOString()}`
      this.appendLog(queued.sessionId, [name], 'deferred', { reason })
    }
  }

  /** How long until the token bucket allows one more push to the phone. */
  private computeTokenWaitMs(now: number): number {
    if (this.channel !== 'phone') return 0
    return Math.ceil((1 - computeTokens(this.retryState, this.timing, now)) * this.timing.refillMs)
  }

  private async sendBatch(batch: NotificationBatch, config: Config): Promise<void> {
    const { retryState, timing } = this
    const { sessionId } = batch
    const fileNames = batch.entries.map(({ name }) => name)
    const now = Date.now()
    retryState.attempts[sessionId] ??= { fileNames, failures: 0, waitUntilMs: 0, isShort: false }
    retryState.tokens = computeTokens(retryState, timing, now) - 1
    retryState.tokensCountedAtMs = now
    this.save()
    const options = { config, timeoutMs: timing.attemptTimeoutMs }
    this.recordResult(sessionId, fileNames, await sendNotification(toOutgoing(batch), this.channel, options))
    this.save()
  }

  private recordResult(sessionId: string, fileNames: string[], result: SendResult): void {
    const { retryState, timing } = this
    const now = Date.now()
    const kind = classifySendResult(result)
    if (kind === 'sent') this.moveEntries(fileNames, 'sent')
    else retryState.lastFailure = { at: now, reason: result.reason }
    if (kind === 'sent') recordSuccess(retryState, now)
    if (kind === 'busy') recordBusy(retryState, result, { timing, now })
    if (kind === 'unreachable') recordUnreachable(retryState, sessionId, result, { timing, now })
    this.save() // Before anything else: the server's Retry-After must survive a kill.
    this.appendLog(sessionId, fileNames, kind, result)
    if (kind === 'unreachable' || kind === 'busy') this.giveUpExpired(result.reason, now)
    if (kind !== 'refused') return
    const attempt = retryState.attempts[sessionId]
    if (attempt === undefined || attempt.isShort || result.isPermanent) this.giveUp(sessionId, fileNames, result.reason)
    else attempt.isShort = true
  }

  /** If a kill left a part of a batch in `sent` or `dead`, the whole batch was sent or given up. Move the rest. */
  private finishAttempts(): void {
    const waiting = new Set(this.outbox.entries.map(({ name }) => name))
    for (const [sessionId, { fileNames }] of Object.entries(this.retryState.attempts)) {
      const moved = fileNames.filter(name => !waiting.has(name))
      if (moved.length === 0) continue
      const target = moved.map(name => this.outbox.findFolder(name)).find(folder => folder !== undefined)
      if (target !== undefined) {
        this.moveEntries(fileNames, target)
        const reason = target === 'dead' ? (this.retryState.lastFailure?.reason ?? '') : ''
        this.appendLog(sessionId, fileNames, target, { reason })
      }
      delete this.retryState.attempts[sessionId]
    }
  }

  /** Give up what is older than three days, but only after a failure: a machine that slept that long tries first. */
  private giveUpExpired(reason: string, now: number): void {
    const { maxAgeMs } = this.timing
    const expired = this.outbox.entries.filter(({ queued }) => now - Date.parse(queued.at) > maxAgeMs)
    for (const { name } of expired) this.forgetAttempt([name])
    if (expired.length > 0) this.save() // Otherwise, after a kill, the rest of their batch would be given up too.
    for (const { name, queued } of expired)
      this.giveUp(queued.sessionId, [name], `older than ${Math.round(maxAgeMs / HOUR_MS)} hours: ${reason}`)
  }

  private giveUp(sessionId: string, fileNames: string[], reason: string): void {
    this.moveEntries(fileNames, 'dead')
    this.appendLog(sessionId, fileNames, 'dead', { reason })
    this.hasAlerted = false
  }

  private moveEntries(fileNames: string[], target: 'sent' | 'dead'): void {
    this.outbox.moveFinished(fileNames, target)
    this.forgetAttempt(fileNames)
  }

  private forgetAttempt(fileNames: string[]): void {
    for (const [sessionId, attempt] of Object.entries(this.retryState.attempts))
      if (attempt.fileNames.some(name => fileNames.includes(name))) delete this.retryState.attempts[sessionId]
  }

  /** Report dead letters on another channel. Done only while nothing is due, so it never delays a notification. */
  private alertDeadLettersOnce(config: Config, now: number): void {
    if (this.hasAlerted || !listEnabledChannels(config).includes(this.channel)) return
    const reason = this.retryState.lastFailure?.reason ?? ''
    this.hasAlerted = alertDeadLetters(this.home, this.channel, { config, reason, now })
  }

  private appendLog(
    sessionId: string,
    fileNames: string[],
    result: DeliveryLogEntry['result'],
    { reason, status }: Pick<SendResult, 'reason' | 'status'>,
  ): void {
    const ids = fileNames.map(parseIdFromName)
    this.ignoreFullDisk(() =>
      appendDeliveryLog(this.home, {
        at: new Date().toISOString(),
        id: ids[0] ?? '',
        sessionId,
        channel: this.channel,
        result,
        reason,
        ...(status === undefined ? {} : { status }),
        ...(ids.length === 1 ? {} : { batchIds: ids }),
      }),
    )
  }

  private save(): void {
    this.ignoreFullDisk(() => writeRetryState(this.home, this.channel, this.retryState))
  }

  /** A full disk is worth a notification. It may cost a line of the log, but must not stop delivery. */
  private ignoreFullDisk(write: () => void): void {
    try {
      write()
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      process.stderr.write(`${this.channel}: ${error.message}\n`)
    }
  }
}

function toOutgoing(batch: NotificationBatch): OutgoingNotification {
  const { sessionId, entries } = batch
  const first = entries[0]
  const last = entries.at(-1)
  if (first === undefined || last === undefined) throw new Error(`a batch of ${sessionId} is empty`)
  const notification = composeBatchNotification(batch)
  const text = entries.length === 1 ? extractState(last.queued) : notification.body
  return { id: first.queued.id, sessionId, at: last.queued.at, notification, text }
}
