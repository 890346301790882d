import { enqueueNotification, type LoggedEvent, startDeliverer } from '#notify'
import type { RunnerContext } from './context.ts'
/**
 * What a person should hear of, laid into the outbox in the order it happened, each event once: the log says up to which
 * event it lies there, and a second copy has the same name. From there on it is the deliverer's.
 */
export class NotificationQueue {
  private readonly running: RunnerContext
  private readonly pending: LoggedEvent[]

  /** `unsaid`: what an earlier runner of the session recorded and may not have laid out. */
  constructor(context: RunnerContext, unsaid: LoggedEvent[]) {
    this.running = context
    this.pending = unsaid
  }

  add(logged: LoggedEvent): void {
    if (logged.event.type === 'notification.queued') return
    this.pending.push(logged)
    this.flush()
  }

  /** Never throws: what the disk does not take now is tried again at the next look, and nothing waits for it. */
  flush(): void {
    try {
      for (let logged = this.pending[0]; logged; logged = this.pending[0]) {
        this.enqueueOne(logged)
        this.pending.shift()
      }
    } catch (error) {
      process.stdout.write(`a notice could not be laid out: ${error instanceof Error ? error.message : error}\n`)
    }
  }

  private enqueueOne(logged: LoggedEvent): void {
    const { session, config } = this.running
    if (!enqueueNotification(session, logged, config)) return
    this.running.record({ type: 'notification.queued', eventSeq: logged.event.seq, eventType: logged.event.type })
    void startDeliverer(config)
  }
}
