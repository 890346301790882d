import path from 'node:path'
import { type Config, liveness, readIfPresent } from '../../host/index.ts'
import { damagedSessions, holder, settled, type View, viewAll } from '../../session/index.ts'
import { good, type Symptom, weak } from './symptom.ts'

/** Sessions that wait for somebody, or for ever. */
export async function sessions({ workspace }: Config): Promise<Symptom[]> {
  const views = await viewAll(workspace)
  const open = views.filter(({ status }) => !status.closed && !settled(status))
  const found = views.flatMap(view => trouble(view) ?? [])
  const locks = await Promise.all(views.map(leftLock))
  return [
    good('sessions', `${views.length} in ${workspace}, ${open.length} at work`),
    ...damagedSessions(workspace).map(({ id, why }) =>
      weak('sessions', `${id} cannot be read: ${why}`, `Look at ${path.join(workspace, id)} yourself`),
    ),
    ...found.slice(0, most),
    ...(found.length > most ? [weak('sessions', `and ${found.length - most} more like these: \`dispatch ls\``)] : []),
    ...locks.flat(),
  ]
}

// --- internal ---

const most = 5

function trouble({ session, status, state }: View): Symptom | undefined {
  const { id, format } = session
  const last = id.slice(-4)
  const look = `\`dispatch attach ${last}\` shows what the orchestrator said last; \`dispatch stop ${last}\` ends it`
  if (format !== undefined)
    return weak(
      'sessions',
      `${id} was written by a newer dispatch (format ${format})`,
      'Nothing to do: it is shown and not written',
    )
  if (status.closed) return undefined
  if (state === 'interrupted')
    return weak(
      'sessions',
      `${id} is interrupted: its runner is gone`,
      `\`dispatch watchdog\` starts a new one; \`dispatch stop ${last}\` ends it`,
    )
  if (state === 'stuck') return weak('sessions', `${id} is stuck: nothing has happened for a while`, look)
  if (state === 'asking' || state === 'needs you') return weak('sessions', `${id} waits for you`, look)
  return undefined
}

/** A lock's record outlives its runner by nothing that matters: the next runner frees it. */
async function leftLock({ session, status }: View): Promise<Symptom[]> {
  const who = readIfPresent(path.join(session.paths.lock, 'holder'))?.trim()
  const runner = holder(session.paths.runner)
  if (who === undefined || (runner && (await liveness(runner)) !== 'dead')) return []
  const then = status.closed ? 'the session is closed' : 'the next runner frees it by itself'
  return [weak('lock', `${session.id}: .write-lock still names ${who}, whose runner is gone`, `Nothing to do: ${then}`)]
}
