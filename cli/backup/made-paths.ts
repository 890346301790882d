import type { Config } from '#host/config'
import { listInstallations } from '#runner/dependencies/index.ts'
import { listSessions } from '#session'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'

/**
 * What installed dependencies are in outputs/ of each session, from its top, such as `node_modules`. They are left out of a session
 * that has ended with its verdict: nothing runs there again, and the setup makes them again. Any other session keeps them, because
 * its agents would go on without.
 */
export async function listMadePaths(config: Config): Promise<(sessionId: string) => ReadonlySet<string>> {
  const made = new Map((await listInstallations(config)).map(installation => [installation.key, installation.made]))
  const bySession = new Map<string, ReadonlySet<string>>()
  if (made.size === 0) return () => NOTHING
  for (const { id, paths } of listSessions(config.workspace)) {
    const { events } = readLog(paths.events)
    const keys = events.flatMap(event => (event.type === 'dependencies.ended' ? [event.cacheKey] : []))
    const names = keys.flatMap(key => made.get(key) ?? [])
    if (names.length > 0 && hasEndedWithVerdict(computeStatus(events))) bySession.set(id, new Set(names))
  }
  return id => bySession.get(id) ?? NOTHING
}

// --- internal ---

const NOTHING: ReadonlySet<string> = new Set()

function hasEndedWithVerdict({ closed, verdict, phase }: ReturnType<typeof computeStatus>): boolean {
  return closed !== undefined && verdict?.isFinal === true && phase === verdict.verdict
}
