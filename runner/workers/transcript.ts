import { findTranscript } from '#host/claude'
import { readUntrusted } from '#host/fs'
import { hasClaudeFolders, type Session } from '#session'

/** The first line of a stream names the session of its claude. */
const STREAM_HEAD_BYTES = 64 * 1024

/** The transcript that claude keeps of the run of a worker whose stream is there; undefined while it does not exist. */
export function findWorkerTranscript(session: Session, name: string): string | undefined {
  const { stream, claudeFolder } = session.paths.worker(name)
  const head = readUntrusted(stream, STREAM_HEAD_BYTES)?.toString('utf8') ?? ''
  const claudeSession = /"session_id":"([\w-]{1,80})"/.exec(head)?.[1] // A worker writes its own stream: no path.
  if (claudeSession === undefined) return undefined
  const folder = hasClaudeFolders(session) ? claudeFolder : session.manifest.claude.configDirectory
  return findTranscript(folder, claudeSession)
}
