import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '../error.ts'
import { toStorageError } from './storage-error.ts'

/**
 * Delete a folder with everything in it, or a file, if it exists. Programs leave folders that are read-only even for their owner,
 * as Go does for its modules; those are made writable first.
 */
export function deleteFolder(folder: string): void {
  const remove = () => fs.rmSync(folder, { recursive: true, force: true })
  try {
    remove()
  } catch (error) {
    const isProtected = isErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')
    if (!isProtected || !fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory())
      throw toStorageError(folder, error)
    try {
      makeWritable(Buffer.from(folder))
      remove()
    } catch (secondError) {
      throw toStorageError(folder, secondError)
    }
  }
}

// --- internal ---

/** Names are bytes, because they need not be UTF-8. */
function makeWritable(folder: Buffer): void {
  fs.chmodSync(folder, 0o700)
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, encoding: 'buffer' }))
    if (entry.isDirectory()) makeWritable(Buffer.concat([folder, Buffer.from(path.sep), entry.name]))
}
