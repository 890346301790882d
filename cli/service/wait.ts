import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { readRunningDaemon } from '#host/installed-code'
import { SECOND_MS } from '#host/time.ts'
import type { UserService } from '#host/user-service'
import { findDaemon } from '#watchdog'
import { readHealth } from '#webui'

/** The service works, or why it does not so far. */
export type ServiceHealth = { pid: number } | { problem: string }

/**
 * Wait until the daemon of this home is the very process that the service keeps, with the page beside it, whose `/healthz` names
 * that process. `config` is the one that the service has. It does not wait for a daemon that ends again and again.
 */
export async function waitForOwnDaemon(service: UserService, config: Config): Promise<ServiceHealth> {
  for (const endMs = Date.now() + TIMEOUT_MS; ; await sleep(POLL_MS)) {
    const { health, isHopeless } = await look(service, config)
    if ('pid' in health || isHopeless || Date.now() >= endMs) return health
  }
}

// --- internal ---

const TIMEOUT_MS = 45 * SECOND_MS
const POLL_MS = 200
const MAX_RESTART_COUNT = 3

async function look(
  service: UserService,
  { home, WEBUI_PORT }: Config,
): Promise<{ health: ServiceHealth; isHopeless?: boolean }> {
  const { pid, restarts } = await service.readState()
  if (restarts >= MAX_RESTART_COUNT) return { health: { problem: 'the daemon ends again and again' }, isHopeless: true }
  if (pid === undefined) return { health: { problem: 'the service does not run' } }
  const daemon = await findDaemon(home)
  if (daemon !== pid || !readRunningDaemon(home)?.isService) {
    const other =
      daemon === undefined ? 'it is not the daemon of this home' : `process ${daemon} is the daemon of this home`
    return { health: { problem: `the service runs as process ${pid}, but ${other}` } }
  }
  if (WEBUI_PORT === 0) return { health: { pid } }
  const health = await readHealth(home)
  if (health?.daemon?.pid === pid) return { health: { pid } }
  return {
    health: { problem: health ? `/healthz of the page names another daemon than ${pid}` : 'the page does not answer' },
  }
}
