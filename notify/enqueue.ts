import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { readJson } from '#host/fs'
import type { Session } from '#session'
import { type Event, readLog } from '#session/log'
import type { SessionView } from '#session/status'
import { defaultTiming } from './delivery/timing.ts'
import { createNotification } from './notification.ts'
import { listEnabledChannels, writeToOutbox } from './outbox.ts'

/** An event that may be worth telling, and the head of the log at it. */
export interface LoggedEvent {
  event: Event
  head: string | undefined
}

/**
 * Lay out what a person should hear of this event, under a name that is the same whoever does it. False when it is nothing to
 * be told, no news any more, or nobody can be told. Throws exit 10 when the disk does not take it.
 */
export function enqueueNotification({ id, manifest }: Session, { event, head }: LoggedEvent, config: Config): boolean {
  const created = createNotification(
    event,
    { id, title: manifest.task.title, head },
    {
      pageUrl: readPageUrl(config.home, id),
      detail: config.NOTICE_DETAIL,
      subagents: config.SUBAGENT_NOTICES === 'on',
    },
  )
  const to = listEnabledChannels(config)
  if (!created || to.length === 0 || !isRecent(event.time, Date.now())) return false
  const deliverBy = computeDeliverBy(event, created.isUrgent, manifest.deadline)
  const message = {
    id: `${id}-${String(event.seq).padStart(6, '0')}`,
    sessionId: id,
    at: event.time,
    deliverBy,
    notification: created.notice,
  }
  writeToOutbox(config.home, message, to)
  return true
}

/**
 * Lay out what runners recorded and died before they could say: also of sessions that get no new one, for they have their
 * verdict, or wait for a person, or never started. `known` keeps what was looked at, session by session, so that a log is read
 * once.
 */
export function enqueueMissedNotifications(views: SessionView[], config: Config, known: Map<string, number>): void {
  for (const { session, status } of views.filter(view => mayHaveMissed(view, Date.now()))) {
    if (known.get(session.id) === status.lastSeq) continue
    const { events, hashes } = readLog(session.paths.events)
    for (const [at, event] of events.entries())
      if (event.seq > status.lastNotifiedSeq) enqueueNotification(session, { event, head: hashes[at] }, config)
    known.set(session.id, status.lastSeq)
  }
}

// --- internal ---

function mayHaveMissed({ session, status, runnerLiveness }: SessionView, now: number): boolean {
  return (
    session.newerFormat === undefined &&
    runnerLiveness === 'dead' &&
    status.lastSeq > status.lastNotifiedSeq &&
    isRecent(status.lastEventAt, now)
  )
}

/** What is older would be given up as soon as it was tried; and what was sent is known for longer, so nothing goes twice. */
function isRecent(at: string, now: number): boolean {
  return now - Date.parse(at) < defaultTiming.maxAgeMs
}

/**
 * Beyond which moment quiet hours do not hold it: the operator's deadline. What is late already does not wait at all, nor does
 * a verdict that comes after it; of the rest nobody need hear at night.
 */
function computeDeliverBy(event: Event, isUrgent: boolean, deadline: string | null): string | null {
  if (deadline === null) return null
  const isAfter = event.time > deadline
  if (isUrgent || (isAfter && event.type === 'verdict.given')) return event.time
  return isAfter ? null : deadline
}

/** The session's page in the observatory, if that is running. */
function readPageUrl(home: string, id: string): string | null {
  const web = z.object({ url: z.string() }).safeParse(readJson(path.join(home, 'web.json')))
  return web.success ? `${web.data.url.replace(/\/+$/, '')}/s/${id}` : null
}
