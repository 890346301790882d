import type { Config } from '#host/config'
import { launchSuccessor } from '#runner'
import { listOpenSessions } from '#session/search-index'
import type { SessionView } from '#session/status'
import { type Room, type Succession, startSuccessors } from '#watchdog'
import { findRoomToTakeUp } from './queue/load.ts'

/** Which sessions to look at, the one that a person asks for, and how many may start all their processes again. */
interface MissingRunnerOptions extends Pick<Room, 'wanted' | 'tries'> {
  views?: SessionView[]
  maxTakenUp?: number
}

/**
 * Start a new runner for each of these sessions that has lost its own, as far as there is room. Without `maxTakenUp` only runners
 * are started, and the wanted session: the daemon takes up the others, one after the other.
 */
export async function startMissingRunners(config: Config, options: MissingRunnerOptions = {}): Promise<Succession> {
  const { views = await listOpenSessions(config), maxTakenUp = 0, ...room } = options
  const slots = await findRoomToTakeUp(config, views)
  return startSuccessors(views, config, launchSuccessor, { slots, maxTakenUp, ...room })
}
