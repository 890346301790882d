import path from 'node:path'
import { isReachable } from '#host/git'
import { formatNames } from '#host/text.ts'
import { readLog } from '../log/log.ts'
import type { Session } from '../manifest.ts'
import { listRefs } from '../repository/refs.ts'
import { omitWorkHistory } from '../repository/repository.ts'
import { computeStatus } from '../status/status.ts'
import { findUnsavedWork } from './remove-session.ts'

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
  const refs = await listLooseRefs(session, folders, [verdict?.commit, acceptedCommit])
  if (refs.some(isSetAside)) return { isSafe: false, hasWork, reason: 'outputs/ has changes that dispatch set aside' }
  if (refs.length > 0)
    return { isSafe: false, hasWork, reason: `outputs/ has commits besides its work: ${formatNames(refs)}` }
  if (!hasWork) return { isSafe: true, hasWork, reason: 'it made no work' }
  return {
    isSafe: true,
    hasWork,
    reason: `its work is in ${session.manifest.repository?.path ?? folders.join(' or ')}`,
  }
}

/** Changes that no worker handed in are in git's stash or in refs/quarantine. */
function isSetAside(name: string): boolean {
  return name === 'refs/stash' || name.startsWith('refs/quarantine/')
}

/** The refs of outputs/ whose commits neither the work nor a repository among `folders` has. */
async function listLooseRefs({ paths }: Session, folders: string[], known: (string | undefined)[]): Promise<string[]> {
  const refs = [...listRefs(path.join(paths.outputs, '.git'))].filter(([, hash]) => !known.includes(hash))
  const others = await omitWorkHistory(
    paths,
    refs.map(([, hash]) => hash),
  )
  const loose: string[] = []
  for (const [name, hash] of refs.filter(([, hash]) => others.includes(hash))) {
    const answers = await Promise.all(folders.map(folder => isReachable(folder, hash)))
    if (!answers.includes(true)) loose.push(name)
  }
  return loose
}
