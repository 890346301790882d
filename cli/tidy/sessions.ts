import type { Config } from '#host/config'
import { listSessions } from '#session'
import type { Removable } from './removable.ts'
import { decideRemoval, listOldSessions, removeIfSafe } from './remove-safe.ts'

/**
 * The sessions in which nothing has happened for so long and that lose nothing, by the rules of `rm --older`. Each is decided again
 * just before it is removed: a person may have taken it up meanwhile. `onProgress` counts sessions.
 */
export async function listRemovableSessions(
  config: Config,
  minAgeMs: number,
  onProgress?: (done: number, all: number) => void,
): Promise<Removable[]> {
  const old = listOldSessions(listSessions(config.workspace), minAgeMs)
  const removable: Removable[] = []
  for (const [at, session] of old.entries()) {
    const decision = await decideRemoval(session, config, rule)
    onProgress?.(at + 1, old.length)
    if (!decision.isRemoved) continue
    const remove = async () => (await removeIfSafe(session, config, { ...rule, minAgeMs })).isRemoved
    removable.push({ kind: 'session', name: session.id, reason: decision.reason, bytes: decision.bytes, remove })
  }
  return removable
}

// --- internal ---

const rule = { isAppliedOnly: false }
