import fs from 'node:fs'
import path from 'node:path'
import { readUntrusted } from '#host/fs'
import { parseAssignedSecrets } from '#host/secrets'
import type { SessionPaths } from '#session'
import { copyIntoTree } from '../copy-without-links.ts'

const MAX_SEARCHED_BYTES = 1024 * 1024

/** Copy the files that git ignores and the project needs into a copy of the tree, unless they exist there. */
export async function copyIgnoredFiles(paths: SessionPaths, tree: string): Promise<void> {
  for (const file of listIgnoredFiles(paths)) await copyIntoTree(tree, file, path.join(paths.ignoredFiles, file))
}

/** The ignored files that the project needs, by their paths from the top of the tree. */
export function listIgnoredFiles(paths: SessionPaths): string[] {
  if (!fs.existsSync(paths.ignoredFiles)) return []
  return fs
    .readdirSync(paths.ignoredFiles, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(paths.ignoredFiles, path.join(entry.parentPath, entry.name)))
}

/** The secrets in those files, recognized by their names: projects keep secrets in files that git ignores. */
export function readIgnoredFileSecrets(paths: SessionPaths): string[] {
  return listIgnoredFiles(paths).flatMap(file => {
    const text = readUntrusted(path.join(paths.ignoredFiles, file), MAX_SEARCHED_BYTES)?.toString('utf8') ?? ''
    return text.includes('\0') ? [] : parseAssignedSecrets(text)
  })
}
