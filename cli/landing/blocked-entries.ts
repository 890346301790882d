import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { type Landing, listLandingQueues } from '#landing'
import { findSession } from '#session'
import type { SessionStatus } from '#session/status'
import { readStatus } from '../input/session.ts'

/** Those of the sessions that have landed. One that was removed, or cannot be read, has not. */
export function listLanded(config: Config, ids: string[]): string[] {
  if (ids.length === 0) return []
  const entries = listEntries(config)
  return ids.filter(id => {
    const status = readStatusIfPresent(config, id)
    return status !== undefined && isThere(status, findOwn(entries, id))
  })
}

/**
 * Has a session landed, or was its work there already, as far as what waits for it is concerned? `own` are its entries in the queues. While
 * it waits there it has not: it may have landed before, on another branch. Nor has it if it was put in since, and did not land. Pure.
 */
export function isThere({ landed, landing }: Pick<SessionStatus, 'landed' | 'landing'>, own: Landing[]): boolean {
  if (own.some(({ state }) => state !== 'ended')) return false
  const last = own.toSorted((a, b) => a.addedAt.localeCompare(b.addedAt)).at(-1)
  if (last?.outcome === 'landed') return true
  const isPresent = landing?.state === 'present' && landing.time >= (last?.addedAt ?? '')
  return isPresent || landed.some(({ time }) => time >= (last?.addedAt ?? ''))
}

/** Of these entries, those that wait for a session which will not land by itself, and the reason for a person. */
export async function listBlocked(config: Config, entries: Landing[]): Promise<{ entry: Landing; reason: string }[]> {
  const waiting = entries.filter(({ state, after }) => state === 'waiting' && after.length > 0)
  if (waiting.length === 0) return []
  const others = listEntries(config)
  return waiting.flatMap(entry => {
    const lost = entry.after.find(id => isGivenUp(config, id, others))
    return lost === undefined
      ? []
      : [{ entry, reason: `it waits for ${lost}, which has not landed and will not by itself` }]
  })
}

// --- internal ---

/** It has not landed, is in no queue any more, and has ended there or without a PASS. */
function isGivenUp(config: Config, id: string, entries: Landing[]): boolean {
  const own = findOwn(entries, id)
  const status = readStatusIfPresent(config, id)
  if (status === undefined) return true
  if (isThere(status, own) || own.some(({ state }) => state !== 'ended')) return false
  return own.length > 0 || (status.closed !== undefined && status.verdict?.verdict !== 'PASS')
}

function listEntries({ home }: Config): Landing[] {
  return listLandingQueues(home).flatMap(queue => queue.list())
}

function findOwn(entries: Landing[], id: string): Landing[] {
  return entries.filter(({ session }) => session === id)
}

function readStatusIfPresent(config: Config, id: string): SessionStatus | undefined {
  try {
    return readStatus(findSession(config.workspace, id))
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}
