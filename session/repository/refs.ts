import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { readIfPresent, readUntrusted, toStorageError } from '#host/fs'

/**
 * HEAD and every ref of a `.git` that agents wrote, each with its hash, read as text: git does not run there. What is not read,
 * such as a link, has an empty hash. A HEAD or ref that only names another one is left out.
 */
export function listRefs(gitFolder: string): Map<string, string> {
  const refs = new Map<string, string>()
  for (const [, hash = '', name = ''] of (readIfPresent(path.join(gitFolder, 'packed-refs')) ?? '').matchAll(
    packedPattern,
  ))
    refs.set(name, hash)
  const head = fs.existsSync(path.join(gitFolder, 'HEAD')) ? ['HEAD'] : []
  for (const name of [...head, ...listFiles(gitFolder, 'refs')]) {
    const text = readUntrusted(path.join(gitFolder, name), MAX_REF_BYTES)?.toString('latin1') ?? ''
    if (symbolicPattern.test(text)) continue
    refs.set(name, hashPattern.exec(text)?.[0] ?? '')
  }
  if (fs.existsSync(path.join(gitFolder, 'reftable'))) refs.set('reftable', '') // Another format, which is not text.
  return refs
}

// --- internal ---

const MAX_REF_BYTES = 4096
const hashPattern = /^[0-9a-f]{40}(?=\s*$)/
const symbolicPattern = /^ref: refs\/\S+\s*$/
/** `<hash> refs/heads/main` */
const packedPattern = /^([0-9a-f]{40}) (\S.*)$/gm

function listFiles(gitFolder: string, folder: string): string[] {
  try {
    const entries = fs.readdirSync(path.join(gitFolder, folder), { recursive: true, withFileTypes: true })
    return entries
      .filter(entry => !entry.isDirectory() && !entry.name.endsWith('.lock'))
      .map(({ parentPath, name }) => path.relative(gitFolder, path.join(parentPath, name)))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw toStorageError(path.join(gitFolder, folder), error)
  }
}
