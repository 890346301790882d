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
 * that process. `config` is the one that the service has. It does not wait for a daemon that ends again and again from now on.
 */
export async function waitForOwnDaemon(service: UserService, config: Config): Promise<ServiceHealth> {
  const { restarts: countBefore } = await service.readState()
  for (const endMs = Date.now() + TIMEOUT_MS; ; await sleep(POLL_MS)) {
    const { health, restarts } = await look(service, config)
    if ('pid' in health || Date.now() >= endMs) return health
    if (restarts - countBefore >= MAX_RESTART_COUNT) return { problem: 'the daemon ends again and again' }
  }
}

// --- internal ---

const TIMEOUT_MS = 45 * SECOND_MS
const POLL_MS = 200
const MAX_RESTART_COUNT = 3

async function look(
  service: UserService,
  { home, WEBUI_PORT }: Config,
): Promise<{ health: ServiceHealth; restarts: number }> {
  const { pid, restarts } = await service.readState()
  const because = (problem: string) => ({ health: { problem }, restarts })
  if (pid === undefined) return because('the service does not run')
  const daemon = await findDaemon(home)
  if (daemon !== pid || !readRunningDaemon(home)?.isService) {
    const other =
      daemon === undefined ? 'it is not the daemon of this home' : `process ${daemon} is the daemon of this home`
    return because(`the service runs as process ${pid}, but ${other}`)
  }
  if (WEBUI_PORT === 0) return { health: { pid }, restarts }
  const health = await readHealth(home)
  if (health?.daemon?.pid === pid) return { health: { pid }, restarts }
  return because(health ? `/healthz of the page names another daemon than ${pid}` : 'the page does not answer')
}
