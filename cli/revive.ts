import type { Config } from '#host/config'
import { launchSuccessor } from '#runner'
import { listOpenSessions } from '#session/search-index'
import type { SessionView } from '#session/status'
import { type Revival, reviveSessions } from '#watchdog'
import { findRoomToTakeUp } from './queue/load.ts'

/**
 * Start a new runner for each of these sessions that has lost its own, as far as there is room. `wanted` is the id of a session
 * that a person asks for: it needs no room. `maxTakenUp` limits how many start all their processes again.
 */
export async function revive(
  config: Config,
  { views, wanted, maxTakenUp }: { views?: SessionView[]; wanted?: string; maxTakenUp?: number } = {},
): Promise<Revival> {
  const sessions = views ?? (await listOpenSessions(config))
  const slots = Math.min(findRoomToTakeUp(config, sessions), maxTakenUp ?? Number.POSITIVE_INFINITY)
  return reviveSessions(sessions, config, launchSuccessor, { slots, ...(wanted === undefined ? {} : { wanted }) })
}
