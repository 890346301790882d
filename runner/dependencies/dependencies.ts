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
      getVariables(tree: string): Record<string, string>
      /** Folders in that copy whose programs can be called by name. */
      listProgramFolders(tree: string): string[]
      /** The paths that were made, from the top of the tree. */
      paths: string[]
    }
  | { ok: false; reason: string }

/** For a project that needs only its ignored files. */
export function createEmptyDependencies(session: SessionPaths): Dependencies {
  return {
    ok: true,
    key: null,
    copyInto: tree => copyIgnoredFiles(session, tree),
    getVariables: () => ({}),
    listProgramFolders: () => [],
    paths: [],
  }
}

/** Caches in the home of the install commands that programs find by a variable. */
const cacheVariables = { GOMODCACHE: 'go/pkg/mod', CARGO_HOME: '.cargo' }

/** The paths that install commands made in a tree of the cache, to be copied into other trees. */
export function createDependencies(
  session: SessionPaths,
  { key, tree: source, home, paths }: { key: string; tree: string; home: string; paths: string[] },
): Dependencies {
  const variables = Object.entries(cacheVariables)
    .map(([name, folder]) => [name, path.join(home, folder)] as const)
    .filter(([, folder]) => fs.existsSync(folder))
  return {
    ok: true,
    key,
    paths,
    async copyInto(tree) {
      for (const name of paths)
        if (await copyIntoTree(tree, name, path.join(source, name))) relocateVenv(path.join(tree, name), source, tree)
      await copyIgnoredFiles(session, tree)
    },
    getVariables: () => Object.fromEntries(variables),
    listProgramFolders: tree =>
      paths
        .flatMap(name => [path.join(tree, name, '.bin'), path.join(tree, name, 'bin')])
        .filter(folder => /(node_modules\/\.bin|venv\/bin|env\/bin)$/.test(folder) && fs.existsSync(folder)),
  }
}
