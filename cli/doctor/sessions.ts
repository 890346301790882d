import path from 'node:path'
import type { Config } from '#host/config'
import { readIfPresent } from '#host/fs'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness } from '#host/process'
import { listDamagedSessions } from '#session'
import { isAsleep, isSettled, readAllViews, type SessionView } from '#session/status'
import { findNextStep } from '../output/next-step.ts'
import { type DoctorResult, ok, warn } from './result.ts'

/** Sessions that wait for a person, that are stuck, or that cannot be read. */
export async function checkSessions({ workspace }: Config): Promise<DoctorResult[]> {
  const views = await readAllViews(workspace)
  const running = views.filter(({ status }) => !status.closed && !isSettled(status))
  const results = views.flatMap(view => checkSession(view) ?? [])
  const moreCount = results.length - MAX_LISTED_SESSIONS
  return [
    ok('sessions', `${views.length} in ${workspace}, ${running.length} running`),
    ...listDamagedSessions(workspace).map(({ id, reason }) =>
      warn('sessions', `${id} cannot be read: ${reason}`, `Look at ${path.join(workspace, id)}`),
    ),
    ...results.slice(0, MAX_LISTED_SESSIONS),
    ...(moreCount > 0 ? [warn('sessions', `and ${moreCount} more: \`dispatch ls\` lists them`)] : []),
    ...(await Promise.all(views.map(checkWriteLock))).flat(),
  ]
}

// --- internal ---

const MAX_LISTED_SESSIONS = 5

function checkSession({ session, status, state, runnerLiveness }: SessionView): DoctorResult | undefined {
  const { id, newerFormat } = session
  const letters = id.slice(-4)
  const stop = `\`dispatch stop ${letters}\` ends it`
  if (newerFormat !== undefined) {
    const message = `${id} was written by a newer dispatch (format ${newerFormat})`
    return warn('sessions', message, 'Nothing to do: this dispatch shows it and does not write it')
  }
  if (status.closed) return undefined
  if (state === 'interrupted')
    return warn('sessions', `${id} has lost its runner`, `\`dispatch resume ${letters}\` goes on with it now; ${stop}`)
  if (state === 'stuck') {
    const fix = `\`dispatch attach ${letters}\` opens the orchestrator's terminal; ${stop}`
    return warn('sessions', `${id} is stuck: no activity for a while`, fix)
  }
  const nextStep = findNextStep(status, letters, isAsleep({ status, runnerLiveness }))
  return nextStep && warn('sessions', `${id} waits for you`, nextStep.text)
}

/** A write lock that outlives its runner does no harm: the next runner releases it. */
async function checkWriteLock({ session, status }: SessionView): Promise<DoctorResult[]> {
  const holder = readIfPresent(path.join(session.paths.writeLock, 'holder'))?.trim()
  const runner = readLeaseHolder(session.paths.runnerLease)
  if (holder === undefined || (runner && (await checkLiveness(runner)) !== 'dead')) return []
  const why = status.closed ? 'the session is closed' : 'the next runner releases it'
  return [
    warn('lock', `${session.id}: ${holder} still has the write lock, but its runner is gone`, `Nothing to do: ${why}`),
  ]
}
