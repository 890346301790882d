import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { describeSpecialFile, listNames, makePrivateFolder, readJson, toStorageError, writeAtomic } from '#host/fs'
import { parseStored } from '#host/stored-json.ts'
import { isSessionId } from './id.ts'
import { readNewerManifest, type Session, SessionManifest } from './manifest.ts'
import { resolveSessionPaths } from './paths.ts'

/**
 * Create a session's folder, its task and its manifest. The mkdir reserves the id: exit 5 when it is taken. The manifest of a draft
 * is not written: until `recordManifest` the session exists for nothing else, so what it begins with is never found half done.
 */
export function createSession(
  workspace: string,
  manifest: SessionManifest,
  task: Uint8Array,
  { isDraft = false } = {},
): Session {
  const paths = resolveSessionPaths(path.join(workspace, manifest.id))
  makePrivateFolder(workspace)
  try {
    fs.mkdirSync(paths.folder, { mode: 0o700 })
  } catch (error) {
    if (isErrno(error, 'EEXIST'))
      throw new DispatchError(`session ${manifest.id} already exists`, { exitCode: exitCodes.conflict })
    throw toStorageError(paths.folder, error)
  }
  const { requests, hookInbox, replies, messages, evidence, workers, writeLock } = paths
  for (const folder of [requests, hookInbox, replies, messages, evidence, workers, writeLock]) makePrivateFolder(folder)
  writeAtomic(paths.task, task, 0o400)
  const session = { id: manifest.id, paths, manifest }
  if (!isDraft) recordManifest(session)
  return session
}

/** Write the manifest: from now on there is the session. */
export function recordManifest({ paths, manifest }: Session): void {
  writeAtomic(paths.manifest, JSON.stringify(manifest, null, 2))
}

/**
 * Find the session with this id, or the only one whose id begins or ends with these letters. Throws exit 2 when several
 * match, 4 when none does, 13 when it is damaged.
 */
export function findSession(workspace: string, idOrPart: string): Session {
  const ids = listSessionIds(workspace)
  const matches = (id: string) => idOrPart !== '' && (id.startsWith(idOrPart) || id.endsWith(`-${idOrPart}`))
  const candidates = ids.includes(idOrPart) ? [idOrPart] : ids.filter(matches)
  const [id] = candidates
  if (candidates.length > 1)
    throw new DispatchError(`"${idOrPart}" matches several sessions: ${candidates.slice(0, 5).join(', ')}`, {
      exitCode: exitCodes.usage,
      remedy: 'Type more of the id.',
    })
  const damage = id === undefined ? undefined : describeDamage(workspace, id)
  if (damage !== undefined)
    throw new DispatchError(`session ${id} cannot be read: ${damage}`, {
      exitCode: exitCodes.integrity,
      remedy: `Something other than dispatch has changed it. Look at ${path.join(workspace, id ?? '')}.`,
    })
  const session = id === undefined ? undefined : readSession(workspace, id)
  if (!session)
    throw new DispatchError(`no session "${idOrPart}" in ${workspace}`, {
      exitCode: exitCodes.notFound,
      remedy: 'Run `dispatch ls`.',
    })
  return session
}

/** Every readable session, newest first. One that is still being opened is left out. */
export function listSessions(workspace: string): Session[] {
  return listSessionIds(workspace)
    .flatMap(id => readSession(workspace, id) ?? [])
    .sort((a, b) => (a.manifest.openedAt < b.manifest.openedAt ? 1 : -1))
}

/** Read a session; undefined if it is still being opened, is gone or is damaged. */
export function readSession(workspace: string, id: string): Session | undefined {
  if (describeDamage(workspace, id) !== undefined) return undefined
  const paths = resolveSessionPaths(path.join(workspace, id))
  const record = readJson(paths.manifest)
  const parsed = parseStored(SessionManifest, record)
  if (parsed.success) return { id, paths, manifest: parsed.data }
  const newer = readNewerManifest(record)
  return newer && { id, paths, ...newer }
}

/** The ids of all sessions, also of those that cannot be read. */
export function listSessionIds(workspace: string): string[] {
  return listNames(workspace).filter(isSessionId)
}

/**
 * Sessions whose manifest or log is not a plain file (a folder, a pipe), and what it is instead. Such a file is never
 * opened: a pipe would block.
 */
export function listDamagedSessions(
  workspace: string,
  ids = listSessionIds(workspace),
): { id: string; reason: string }[] {
  return ids.flatMap(id => {
    const reason = describeDamage(workspace, id)
    return reason === undefined ? [] : [{ id, reason }]
  })
}

// --- internal ---

function describeDamage(workspace: string, id: string): string | undefined {
  const { manifest, events } = resolveSessionPaths(path.join(workspace, id))
  for (const file of [manifest, events]) {
    const fileType = describeSpecialFile(file)
    if (fileType !== undefined) return `${path.basename(file)} is ${fileType}`
  }
  return undefined
}
