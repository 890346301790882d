import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { makePrivateFolder, readIfPresent, readJson, writeAtomic } from '#host/fs'
import type { Session } from '#session'
import { type Event, readLog } from '#session/log'
import { listSessionSecrets } from '#session/secrets'
import type { SessionView } from '#session/status'
import { createNotification } from './create-notification.ts'
import { defaultTiming } from './delivery/timing.ts'
import { listEnabledChannels, writeToOutbox } from './outbox.ts'

/** An event, and the head of the log after it. */
export interface LoggedEvent {
  event: Event
  head: string | undefined
}

/**
 * Queue the notification for an event. Returns false if the event has none or is too old, or if no channel is enabled. The id
 * depends only on the event, so two processes that queue it create one. Throws exit 10 if the disk cannot take it.
 */
export function enqueueNotification(
  { id, manifest, paths }: Session,
  { event, head }: LoggedEvent,
  config: Config,
): boolean {
  const { home, NOTICE_DETAIL: detail, SUBAGENT_NOTICES } = config
  const options = {
    ...{ pageUrl: readPageUrl(home, id), detail, subagents: SUBAGENT_NOTICES === 'on' },
    listSecrets: () => findSecretsOf(config, paths),
  }
  const created = createNotification(event, { id, title: manifest.task.title, head }, options)
  const targets = listEnabledChannels(config)
  if (!created || !isRecent(event.time, Date.now())) return false
  if (targets.length === 0) {
    noteUnsent(home, event.time)
    return false
  }
  if (isOldNews(home, event.time, Date.now())) return false
  const deliverBy = computeDeliverBy(event, created.isUrgent, manifest.deadline)
  const queuedId = `${id}-${String(event.seq).padStart(6, '0')}`
  const { notification } = created
  writeToOutbox(home, { id: queuedId, sessionId: id, at: event.time, deliverBy, notification }, targets)
  return true
}

/**
 * Queue what runners recorded but did not queue before they died. This covers sessions that get no new runner: they have a
 * verdict, wait for a person, or never started. `checkedSeqs` has the last event that was checked of each session, so that a
 * log is read once.
 */
export function enqueueMissedNotifications(
  views: SessionView[],
  config: Config,
  checkedSeqs: Map<string, number>,
): void {
  for (const { session, status } of views.filter(view => mayHaveMissed(view, Date.now()))) {
    if (checkedSeqs.get(session.id) === status.lastSeq) continue
    const { events, hashes } = readLog(session.paths.events)
    for (const [index, event] of events.entries())
      if (event.seq > status.lastNotifiedSeq) enqueueNotification(session, { event, head: hashes[index] }, config)
    checkedSeqs.set(session.id, status.lastSeq)
  }
}

/** The time before which no event is worth a notification any more. */
export function getOldestMissedTime(now: Date): Date {
  return new Date(now.getTime() - defaultTiming.maxAgeMs)
}

// --- internal ---

/** Undefined where they cannot be read: a person is told that there is something all the same. */
function findSecretsOf(config: Config, paths: Session['paths']): string[] | undefined {
  try {
    return listSessionSecrets(config, paths)
  } catch {
    return undefined
  }
}

function mayHaveMissed({ session, status, runnerLiveness }: SessionView, now: number): boolean {
  return (
    session.newerFormat === undefined &&
    runnerLiveness === 'dead' &&
    status.lastSeq > status.lastNotifiedSeq &&
    isRecent(status.lastEventAt, now)
  )
}

/** Up to when nothing was sent because no channel was on: a channel that is switched on begins with what comes then. */
const getUnsentFile = (home: string) => path.join(home, 'outbox', 'unsent-until')

function noteUnsent(home: string, time: string): void {
  if (isOldNews(home, time, Date.now())) return
  makePrivateFolder(path.join(home, 'outbox'))
  writeAtomic(getUnsentFile(home), time)
}

/** A time in the future is of a clock that was set back since, and says nothing. */
function isOldNews(home: string, time: string, nowMs: number): boolean {
  const until = readIfPresent(getUnsentFile(home)) ?? ''
  return time <= until && Date.parse(until) <= nowMs
}

/** Anything older would be given up at once. Sent files are kept for longer than this, so nothing is sent twice. */
function isRecent(time: string, now: number): boolean {
  return now - Date.parse(time) < defaultTiming.maxAgeMs
}

/**
 * Until when quiet hours may hold the notification: the session's deadline. Urgent ones, and a verdict after the deadline,
 * are not held at all. Without a deadline everything waits for the morning.
 */
function computeDeliverBy(event: Event, isUrgent: boolean, deadline: string | null): string | null {
  if (deadline === null) return null
  const isLate = event.time > deadline
  if (isUrgent || (isLate && event.type === 'verdict.given')) return event.time
  return isLate ? null : deadline
}

/** The address of the session's page, if a page is running. */
function readPageUrl(home: string, sessionId: string): string | null {
  const server = z.object({ url: z.string() }).safeParse(readJson(path.join(home, 'web.json')))
  return server.success ? `${server.data.url.replace(/\/+$/, '')}/s/${sessionId}` : null
}
