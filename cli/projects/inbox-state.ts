import path from 'node:path'
import type { Config } from '#host/config'
import { listNames, readUntrusted } from '#host/fs'
import { findFolderProblem, findTracked, getInbox, inspectTaskFile, listPendingFolders, listTaskNames } from '#intake'
import type { RegisteredProject } from '#projects'
import { NotifyOnce } from '../notify-once.ts'

/** What is in the inbox of a project. */
export interface InboxState {
  folder: string
  /** Why nothing is taken from it; null if that is not so. */
  problem: string | null
  /** The files in it, and why one is not taken; null if it is about to be. */
  files: { name: string; reason: string | null }[]
}

/** Read the inbox of a project, and change nothing. */
export async function readInboxState(config: Config, { path: repository }: RegisteredProject): Promise<InboxState> {
  const folder = getInbox(repository)
  const told = new NotifyOnce(config.home, 'inbox')
  const problem = findFolderProblem(repository) ?? null
  if (problem !== null) return { folder, problem, files: [] }
  const names = listTaskNames(repository)
  const tracked = names.length === 0 ? [] : ((await findTracked(repository, names)) ?? [])
  const waiting = names.map(name => {
    const inspection = inspectTaskFile(repository, name)
    if (inspection.kind === 'refused') return { name, reason: inspection.reason }
    if (tracked.includes(name)) return { name, reason: 'it came with the repository: git tracks it' }
    if (inspection.kind === 'nothing yet') return { name, reason: 'it has no content yet' }
    return { name, reason: told.find(path.join(folder, name)) ?? null }
  })
  const rejected = listNames(folder)
    .filter(name => name.endsWith('.rejected'))
    .map(name => ({ name, reason: readReason(path.join(folder, `${name}.txt`)) }))
  const left = listPendingFolders(config.home, repository).flatMap(each => {
    const reason = told.find(each)
    return reason === undefined ? [] : [{ name: path.relative(path.dirname(folder), each), reason }]
  })
  return { folder, problem: told.find(folder) ?? null, files: [...waiting, ...rejected, ...left] }
}

// --- internal ---

const MAX_REASON_BYTES = 4096

function readReason(file: string): string {
  return readUntrusted(file, MAX_REASON_BYTES)?.toString('utf8').trim() || 'it did not read'
}
