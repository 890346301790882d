import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import type { SessionPaths } from '../paths.ts'

/** The ignored files that the project needs, by their paths from the top of the tree. A session that was removed has no files. */
export function listIgnoredFiles({ ignoredFiles: folder }: Pick<SessionPaths, 'ignoredFiles'>): string[] {
  try {
    return fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw toStorageError(folder, error)
  }
}
