import { layOut, type Told, wake } from '../notify/index.ts'
import type { Running } from './running.ts'

/**
 * What a person should hear of, laid into the outbox in the order it happened, each event once: the log says up to which
 * event it lies there, and a second copy has the same name. From there on it is the deliverer's.
 */
export class Notices {
  private readonly running: Running
  private readonly due: Told[]

  /** `unsaid`: what an earlier runner of the session recorded and may not have laid out. */
  constructor(running: Running, unsaid: Told[]) {
    this.running = running
    this.due = unsaid
  }

  take(told: Told): void {
    if (told.event.is === 'notice.queued') return
    this.due.push(told)
    this.flush()
  }

  /** Never throws: what the disk does not take now is tried again at the next look, and nothing waits for it. */
  flush(): void {
    try {
      for (let told = this.due[0]; told; told = this.due[0]) {
        this.lay(told)
        this.due.shift()
      }
    } catch (error) {
      process.stdout.write(`a notice could not be laid out: ${error instanceof Error ? error.message : error}\n`)
    }
  }

  private lay(told: Told): void {
    const { session, config } = this.running
    if (!layOut(session, told, config)) return
    this.running.record({ is: 'notice.queued', of: told.event.seq, about: told.event.is })
    void wake(config)
  }
}
