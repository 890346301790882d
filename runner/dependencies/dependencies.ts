import fs from 'node:fs'
import path from 'node:path'
import type { SessionPaths } from '#session'
import { copyIntoTree } from '../safe-copy.ts'
import { copyIgnoredFiles } from './ignored-files.ts'
import { relocateVenv } from './relocate-venv.ts'

/** The dependencies of a commit, and how a copy of its tree gets them; or why they could not be installed. */
export type Dependencies =
  | {
      ok: true
      /** Identifies what they were made from; null if the project needs none. */
      key: string | null
      /** Put them into this copy of the tree. */
      copyInto(tree: string): Promise<void>
      /** Variables for programs in that copy, besides their own environment. */
      variables: Record<string, string>
      /** Folders in that copy whose programs can be called by name. */
      listProgramFolders(tree: string): string[]
      /** The paths that were made, from the top of the tree. */
      paths: string[]
    }
  | { ok: false; reason: string }

/** Caches in the home of the install commands that programs find by a variable. */
const cacheVariables = { GOMODCACHE: 'go/pkg/mod', CARGO_HOME: '.cargo' }

/** The paths that install commands made in a tree of the cache, to be copied into other trees; without any, only ignored files. */
export function createDependencies(
  session: SessionPaths,
  made?: { key: string; tree: string; home: string; paths: string[] },
): Dependencies {
  const { key = null, tree: source = '', paths = [] } = made ?? {}
  const caches = made
    ? Object.entries(cacheVariables).map(([name, folder]) => [name, path.join(made.home, folder)] as const)
    : []
  return {
    ok: true,
    key,
    paths,
    variables: Object.fromEntries(caches.filter(([, folder]) => fs.existsSync(folder))),
    async copyInto(tree) {
      for (const name of paths)
        if (await copyIntoTree(tree, name, path.join(source, name))) relocateVenv(path.join(tree, name), source, tree)
      await copyIgnoredFiles(session, tree)
    },
    listProgramFolders: tree =>
      paths
        .flatMap(name => [path.join(tree, name, '.bin'), path.join(tree, name, 'bin')])
        .filter(folder => /(node_modules\/\.bin|venv\/bin|env\/bin)$/.test(folder) && fs.existsSync(folder)),
  }
}
