import path from 'node:path'
import type { Config } from '#host/config'
import { readIfPresent } from '#host/fs'
import { checkLiveness } from '#host/process'
import { listDamagedSessions } from '#session'
import { readLeaseHolder } from '#session/lease'
import { isSettled, readAllViews, type SessionView } from '#session/status'
import { type DoctorResult, ok, warn } from './result.ts'

/** Sessions that wait for somebody, or for ever. */
export async function checkSessions({ workspace }: Config): Promise<DoctorResult[]> {
  const views = await readAllViews(workspace)
  const open = views.filter(({ status }) => !status.closed && !isSettled(status))
  const found = views.flatMap(view => checkSession(view) ?? [])
  const locks = await Promise.all(views.map(checkLeftLock))
  return [
    ok('sessions', `${views.length} in ${workspace}, ${open.length} at work`),
    ...listDamagedSessions(workspace).map(({ id, reason }) =>
      warn('sessions', `${id} cannot be read: ${reason}`, `Look at ${path.join(workspace, id)} yourself`),
    ),
    ...found.slice(0, MAX_LISTED_SESSIONS),
    ...(found.length > MAX_LISTED_SESSIONS
      ? [warn('sessions', `and ${found.length - MAX_LISTED_SESSIONS} more like these: \`dispatch ls\``)]
      : []),
    ...locks.flat(),
  ]
}

// --- internal ---

const MAX_LISTED_SESSIONS = 5

function checkSession({ session, status, state }: SessionView): DoctorResult | undefined {
  const { id, newerFormat } = session
  const last = id.slice(-4)
  const look = `\`dispatch attach ${last}\` shows what the orchestrator said last; \`dispatch stop ${last}\` ends it`
  if (newerFormat !== undefined)
    return warn(
      'sessions',
      `${id} was written by a newer dispatch (format ${newerFormat})`,
      'Nothing to do: it is shown and not written',
    )
  if (status.closed) return undefined
  if (state === 'interrupted')
    return warn(
      'sessions',
      `${id} is interrupted: its runner is gone`,
      `\`dispatch watchdog\` starts a new one; \`dispatch stop ${last}\` ends it`,
    )
  if (state === 'stuck') return warn('sessions', `${id} is stuck: nothing has happened for a while`, look)
  if (state === 'asking' || state === 'needs you') return warn('sessions', `${id} waits for you`, look)
  return undefined
}

/** A lock's record outlives its runner by nothing that matters: the next runner frees it. */
async function checkLeftLock({ session, status }: SessionView): Promise<DoctorResult[]> {
  const who = readIfPresent(path.join(session.paths.writeLock, 'holder'))?.trim()
  const runner = readLeaseHolder(session.paths.runnerLease)
  if (who === undefined || (runner && (await checkLiveness(runner)) !== 'dead')) return []
  const then = status.closed ? 'the session is closed' : 'the next runner frees it by itself'
  return [warn('lock', `${session.id}: .write-lock still names ${who}, whose runner is gone`, `Nothing to do: ${then}`)]
}
