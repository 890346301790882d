import { readIfPresent, writeAtomic } from '#host/fs'
import { refuseNewerFormat, type Session } from '#session'

/** Ask the living runner of a session to close it, by a file that it looks for at every tick. Exit 6 for a newer format. */
export function requestClose(session: Session, reason: string): void {
  refuseNewerFormat(session)
  writeAtomic(session.paths.stopRequest, reason)
}

/** The reason of a request to close the session; undefined until there is one. */
export function readStopRequest({ paths }: Session): string | undefined {
  return readIfPresent(paths.stopRequest)
}
