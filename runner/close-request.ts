import { readIfPresent, writeAtomic } from '#host/fs'
import { refuseNewerFormat, type Session } from '#session'

/** Who has a session closed. */
export type Closer = 'you' | 'dispatch'

export const STOP_REASON = 'dispatch stop'

/** Ask the living runner of a session to close it, by a file that it looks for at every tick. Exit 6 for a newer format. */
export function requestClose(session: Session, reason: string, actor: Closer): void {
  refuseNewerFormat(session)
  writeAtomic(session.paths.stopRequest, actor === 'you' ? reason : `${OWN_REQUEST}${reason}`)
}

/** Who has asked the runner to close the session, and why; undefined without a request. An empty one is a person's. */
export function readCloseRequest({ paths }: Session): { actor: Closer; reason: string } | undefined {
  const text = readIfPresent(paths.stopRequest)
  if (text?.startsWith(OWN_REQUEST)) return { actor: 'dispatch', reason: text.slice(OWN_REQUEST.length) }
  return text === undefined ? undefined : { actor: 'you', reason: text || STOP_REASON }
}

// --- internal ---

/** Begins a request that no person has made. */
const OWN_REQUEST = 'dispatch\t'
