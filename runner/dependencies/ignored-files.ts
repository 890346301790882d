import path from 'node:path'
import type { SessionPaths } from '#session'
import { listIgnoredFiles } from '#session/secrets'
import { copyIntoTree } from '../copy-without-links.ts'

/** Copy the files that git ignores and the project needs into a copy of the tree, unless they exist there. */
export async function copyIgnoredFiles(paths: SessionPaths, tree: string): Promise<void> {
  for (const file of listIgnoredFiles(paths)) await copyIntoTree(tree, file, path.join(paths.ignoredFiles, file))
}
