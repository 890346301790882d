import fs from 'node:fs'
import path from 'node:path'
import { listNames, readIfPresent } from '#host/fs'
import { readLog } from '../log/log.ts'
import type { Session } from '../manifest.ts'
import { findUnsavedWork } from '../remove.ts'
import { computeStatus } from '../status/status.ts'

/** Whether a session can be removed without losing anything, and why. */
export interface Removability {
  isSafe: boolean
  /** Did it make any work? */
  hasWork: boolean
  reason: string
}

/** Find out whether one of these repositories has everything that a session made. */
export async function findRemovability(session: Session, folders: string[]): Promise<Removability> {
  const { base, verdict, acceptedCommit } = computeStatus(readLog(session.paths.events).events)
  const hasWork = [verdict?.commit, acceptedCommit].some(commit => commit !== undefined && commit !== base?.commit)
  const unsaved = await findUnsavedWork(session, folders)
  if (unsaved !== undefined) return { isSafe: false, hasWork, reason: unsaved.description }
  if (hasSetAside(session)) return { isSafe: false, hasWork, reason: 'outputs/ has changes that dispatch set aside' }
  if (!hasWork) return { isSafe: true, hasWork, reason: 'it made no work' }
  return {
    isSafe: true,
    hasWork,
    reason: `its work is in ${session.manifest.repository?.path ?? folders.join(' or ')}`,
  }
}

/** Changes that no worker handed in are in git's stash or in refs/quarantine. Git does not run there: an agent wrote its settings. */
function hasSetAside({ paths }: Session): boolean {
  const gitFolder = path.join(paths.outputs, '.git')
  const packed = readIfPresent(path.join(gitFolder, 'packed-refs')) ?? ''
  const hasStash = fs.existsSync(path.join(gitFolder, 'refs/stash'))
  return (
    hasStash || listNames(path.join(gitFolder, 'refs/quarantine')).length > 0 || /refs\/(stash|quarantine)/.test(packed)
  )
}
