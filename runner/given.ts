import fs from 'node:fs'
import path from 'node:path'
import { assignedSecrets, readUntrusted } from '../host/index.ts'
import type { Paths } from '../session/index.ts'
import { placeIn } from './place.ts'

/** Put the files that git ignores and the project needs into a copy of the tree, unless it has them already. */
export async function placeGiven(paths: Paths, tree: string): Promise<void> {
  for (const file of givenFiles(paths)) await placeIn(tree, file, path.join(paths.given, file))
}

/** Their paths, from the top of the tree. */
export function givenFiles(paths: Paths): string[] {
  if (!fs.existsSync(paths.given)) return []
  return fs
    .readdirSync(paths.given, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(paths.given, path.join(entry.parentPath, entry.name)))
}

/** The secrets in them, by their names: what git ignores is where they are kept. */
export function givenSecrets(paths: Paths): string[] {
  return givenFiles(paths).flatMap(file => {
    const text = readUntrusted(path.join(paths.given, file), 1024 * 1024)?.toString('utf8') ?? ''
    return text.includes('\0') ? [] : assignedSecrets(text)
  })
}
