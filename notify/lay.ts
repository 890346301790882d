import path from 'node:path'
import { z } from 'zod'
import { type Config, readJson } from '../host/index.ts'
import { type Event, readLog, type Session, type View } from '../session/index.ts'
import { noticeOf } from './notice.ts'
import { channelsOf, post } from './outbox.ts'
import { usual } from './pace.ts'

/** An event that may be worth telling, and the head of the log at it. */
export interface Told {
  event: Event
  head: string | undefined
}

/**
 * Lay out what a person should hear of this event, under a name that is the same whoever does it. False when it is nothing to
 * be told, no news any more, or nobody can be told. Throws exit 10 when the disk does not take it.
 */
export function layOut({ id, opening }: Session, { event, head }: Told, config: Config): boolean {
  const told = noticeOf(
    event,
    { id, title: opening.task.title, head },
    {
      page: pageOf(config.home, id),
      detail: config.NOTICE_DETAIL,
      subagents: config.SUBAGENT_NOTICES === 'on',
    },
  )
  const to = channelsOf(config)
  if (!told || to.length === 0 || !isNews(event.at, Date.now())) return false
  const latest = latestOf(event, told.isUrgent, opening.deadline)
  const message = {
    id: `${id}-${String(event.seq).padStart(6, '0')}`,
    of: id,
    at: event.at,
    latest,
    notice: told.notice,
  }
  post(config.home, message, to)
  return true
}

/**
 * Lay out what runners recorded and died before they could say: also of sessions that get no new one, for they have their
 * verdict, or wait for a person, or never started. `known` keeps what was looked at, session by session, so that a log is read
 * once.
 */
export function layOutUnsaid(views: View[], config: Config, known: Map<string, number>): void {
  for (const { session, status } of views.filter(view => mayHoldUnsaid(view, Date.now()))) {
    if (known.get(session.id) === status.seq) continue
    const { events, hashes } = readLog(session.paths.events)
    for (const [at, event] of events.entries())
      if (event.seq > status.noticed) layOut(session, { event, head: hashes[at] }, config)
    known.set(session.id, status.seq)
  }
}

// --- internal ---

function mayHoldUnsaid({ session, status, runner }: View, now: number): boolean {
  return session.format === undefined && runner === 'dead' && status.seq > status.noticed && isNews(status.at, now)
}

/** What is older would be given up as soon as it was tried; and what was sent is known for longer, so nothing goes twice. */
function isNews(at: string, now: number): boolean {
  return now - Date.parse(at) < usual.age
}

/**
 * Beyond which moment quiet hours do not hold it: the operator's deadline. What is late already does not wait at all, nor does
 * a verdict that comes after it; of the rest nobody need hear at night.
 */
function latestOf(event: Event, isUrgent: boolean, deadline: string | null): string | null {
  if (deadline === null) return null
  const isAfter = event.at > deadline
  if (isUrgent || (isAfter && event.is === 'verdict.given')) return event.at
  return isAfter ? null : deadline
}

/** The session's page in the observatory, if that is running. */
function pageOf(home: string, id: string): string | null {
  const web = z.object({ url: z.string() }).safeParse(readJson(path.join(home, 'web.json')))
  return web.success ? `${web.data.url.replace(/\/+$/, '')}/s/${id}` : null
}
