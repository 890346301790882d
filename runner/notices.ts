import path from 'node:path'
import { z } from 'zod'
import { readJson } from '../host/index.ts'
import { channelsOf, noticeOf, post, wake } from '../notify/index.ts'
import type { Event } from '../session/index.ts'
import type { Running } from './running.ts'

/**
 * What a person should hear of, laid into the outbox in the order it happened, each event once: the log says up to which
 * event it lies there, and a second copy has the same name. From there on it is the deliverer's.
 */
export class Notices {
  private readonly running: Running
  private readonly due: Event[]

  /** `unsaid`: what an earlier runner of the session recorded and may not have laid out. */
  constructor(running: Running, unsaid: Event[]) {
    this.running = running
    this.due = unsaid
  }

  take(event: Event): void {
    if (event.is === 'notice.queued') return
    this.due.push(event)
    this.flush()
  }

  /** Never throws: what the disk does not take now is tried again at the next look, and nothing waits for it. */
  flush(): void {
    try {
      for (let event = this.due[0]; event; event = this.due[0]) {
        this.lay(event)
        this.due.shift()
      }
    } catch (error) {
      process.stdout.write(`a notice could not be laid out: ${error instanceof Error ? error.message : error}\n`)
    }
  }

  private lay(event: Event): void {
    const { session, config } = this.running
    const { id, opening } = session
    const about = { id, title: opening.task.title }
    const told = noticeOf(event, about, {
      page: pageOf(config.home, id),
      detail: config.NOTICE_DETAIL,
      subagents: config.SUBAGENT_NOTICES === 'on',
    })
    const to = channelsOf(config)
    if (!told || to.length === 0) return
    const latest = opening.deadline === null ? null : told.isUrgent ? event.at : opening.deadline
    post(
      config.home,
      { id: `${id}-${String(event.seq).padStart(6, '0')}`, of: id, at: event.at, latest, notice: told.notice },
      to,
    )
    this.running.record({ is: 'notice.queued', of: event.seq, about: event.is })
    void wake(config)
  }
}

/** The session's page in the observatory, if that is running. */
function pageOf(home: string, id: string): string | null {
  const web = z.object({ url: z.string() }).safeParse(readJson(path.join(home, 'web.json')))
  return web.success ? `${web.data.url.replace(/\/+$/, '')}/s/${id}` : null
}
