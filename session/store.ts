import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { describeSpecialFile, listNames, makePrivateFolder, readJson, toStorageError, writeAtomic } from '#host/fs'
import { readNewerManifest } from './format-version.ts'
import { isSessionId } from './id.ts'
import { type Session, SessionManifest } from './manifest.ts'
import { resolveSessionPaths } from './paths.ts'

/** Claim the id (mkdir is the claim) and seal the task. Throws exit 5 when the id is taken. */
export function createSession(workspace: string, manifest: SessionManifest, task: Uint8Array): Session {
  const paths = resolveSessionPaths(path.join(workspace, manifest.id))
  makePrivateFolder(workspace)
  try {
    fs.mkdirSync(paths.folder, { mode: 0o700 })
  } catch (error) {
    if (isErrno(error, 'EEXIST'))
      throw new DispatchError(`session ${manifest.id} exists already`, { exitCode: exitCodes.conflict })
    throw toStorageError(paths.folder, error)
  }
  for (const folder of [
    paths.orchestratorFolder,
    paths.requests,
    paths.hookInbox,
    paths.replies,
    paths.messages,
    paths.evidence,
    paths.workers,
    paths.writeLock,
  ])
    makePrivateFolder(folder)
  writeAtomic(paths.task, task, 0o400)
  writeAtomic(paths.manifest, JSON.stringify(manifest, null, 2))
  return { id: manifest.id, paths, manifest }
}

/** The session with this id, or with the only id that begins with or ends in these letters. A damaged one is exit 13. */
export function findSession(workspace: string, idOrPart: string): Session {
  const ids = listSessionIds(workspace)
  const fits = (id: string) => idOrPart !== '' && (id.startsWith(idOrPart) || id.endsWith(`-${idOrPart}`))
  const candidates = ids.includes(idOrPart) ? [idOrPart] : ids.filter(fits)
  const [id] = candidates
  if (candidates.length > 1)
    throw new DispatchError(`"${idOrPart}" could be ${candidates.slice(0, 5).join(', ')}`, {
      exitCode: exitCodes.usage,
      remedy: 'Say more of the id.',
    })
  const damage = id === undefined ? undefined : describeDamage(workspace, id)
  if (damage !== undefined)
    throw new DispatchError(`session ${id} cannot be read: ${damage}`, {
      exitCode: exitCodes.integrity,
      remedy: `Somebody has put it there. Look at ${path.join(workspace, id ?? '')} yourself.`,
    })
  const session = id === undefined ? undefined : readSession(workspace, id)
  if (!session)
    throw new DispatchError(`there is no session "${idOrPart}" in ${workspace}`, {
      exitCode: exitCodes.notFound,
      remedy: 'Run `dispatch ls`.',
    })
  return session
}

/** Every session on disk that can be read, newest first. One that is still being opened is not there yet. */
export function listSessions(workspace: string): Session[] {
  return listSessionIds(workspace)
    .filter(id => describeDamage(workspace, id) === undefined)
    .flatMap(id => readSession(workspace, id) ?? [])
    .sort((a, b) => (a.manifest.openedAt < b.manifest.openedAt ? 1 : -1))
}

/** Sessions whose record is no file any more (a folder, a pipe), and what stands there: nobody opens it, nobody waits for it. */
export function listDamagedSessions(workspace: string): { id: string; reason: string }[] {
  return listSessionIds(workspace).flatMap(id => {
    const reason = describeDamage(workspace, id)
    return reason === undefined ? [] : [{ id, reason }]
  })
}

function readSession(workspace: string, id: string): Session | undefined {
  const paths = resolveSessionPaths(path.join(workspace, id))
  const record = readJson(paths.manifest)
  const opening = SessionManifest.safeParse(record)
  if (opening.success) return { id, paths, manifest: opening.data }
  const newer = readNewerManifest(record, SessionManifest.shape)
  return newer && { id, paths, ...newer }
}

function describeDamage(workspace: string, id: string): string | undefined {
  const { manifest, events } = resolveSessionPaths(path.join(workspace, id))
  for (const file of [manifest, events]) {
    const stranger = describeSpecialFile(file)
    if (stranger !== undefined) return `${path.basename(file)} is ${stranger}`
  }
  return undefined
}

function listSessionIds(workspace: string): string[] {
  return listNames(workspace).filter(isSessionId)
}
