import type { Session } from '#session'
import { type Event, readLog } from '#session/log'

/** The commits that a session has recorded before it pushed them for a pull request, the oldest first. */
export function listPrepared({ paths }: Session): Event<'pull-request.prepared'>[] {
  return readLog(paths.events).events.filter(
    (event): event is Event<'pull-request.prepared'> => event.type === 'pull-request.prepared',
  )
}
