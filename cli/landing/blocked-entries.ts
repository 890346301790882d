import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { type Landing, listLandingQueues } from '#landing'
import { findSession } from '#session'
import type { SessionStatus } from '#session/status'
import { readStatus } from '../input/session.ts'

/** Has a session landed, or was its work there already? A session that was removed, or cannot be read, has not. */
export function hasLanded(config: Config, id: string): boolean {
  const status = readStatusIfPresent(config, id)
  return status !== undefined && isThere(status)
}

/** Of these entries, those that wait for a session which will not land by itself, and the reason for a person. */
export async function listBlocked(config: Config, entries: Landing[]): Promise<{ entry: Landing; reason: string }[]> {
  const waiting = entries.filter(({ state, after }) => state === 'waiting' && after.length > 0)
  if (waiting.length === 0) return []
  const others = listLandingQueues(config.home).flatMap(queue => queue.list())
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
  const own = entries.filter(({ session }) => session === id)
  const status = readStatusIfPresent(config, id)
  if (status === undefined) return true
  if (isThere(status) || own.some(({ state }) => state !== 'ended')) return false
  return own.length > 0 || (status.closed !== undefined && status.verdict?.verdict !== 'PASS')
}

function isThere({ landed, landing }: SessionStatus): boolean {
  return landed.length > 0 || landing?.state === 'present'
}

function readStatusIfPresent(config: Config, id: string): SessionStatus | undefined {
  try {
    return readStatus(findSession(config.workspace, id))
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}
