import { enqueueNotification, type LoggedEvent, startDeliverer } from '#notify'
import type { RunnerContext } from './context.ts'

/**
 * Puts what a person should know into the outbox, in order and each event once: the log says up to which event that is done,
 * and a second copy would have the same file name. The deliverer does the rest.
 */
export class NotificationQueue {
  private readonly context: RunnerContext
  private readonly pending: LoggedEvent[]

  /** `unsent`: events that an earlier runner recorded and may not have queued. */
  constructor(context: RunnerContext, unsent: LoggedEvent[]) {
    this.context = context
    this.pending = unsent
  }

  add(logged: LoggedEvent): void {
    if (logged.event.type === 'notification.queued') return
    this.pending.push(logged)
    this.flush()
  }

  /** Never throws. What the disk does not take now is tried again at the next tick, and nothing waits for it. */
  flush(): void {
    const { context, pending } = this
    try {
      for (let logged = pending[0]; logged; logged = pending[0]) {
        if (enqueueNotification(context.session, logged, context.config)) {
          context.record({ type: 'notification.queued', eventSeq: logged.event.seq, eventType: logged.event.type })
          void startDeliverer(context.config)
        }
        pending.shift()
      }
    } catch (error) {
      process.stdout.write(`a notification could not be queued: ${error instanceof Error ? error.message : error}\n`)
    }
  }
}
