import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { copyTree } from '#host/fs'
import { copyWrittenCaches, findSharedCaches } from '#host/toolchains'
import type { SessionPaths } from '#session'
import { copyIntoTree } from '../copy-without-links.ts'
import { copyIgnoredFiles } from './ignored-files.ts'
import { relocateVenv } from './relocate-venv.ts'

/** The dependencies of a commit, and how a copy of its tree gets them; or why they could not be installed. */
export type Dependencies =
  | {
      ok: true
      /** Identifies what they were made from; null if the project needs none. */
      key: string | null
      /** Put them into this copy of the tree. `donor` is an unchanged copy that nothing needs any more: they are moved from there. */
      copyInto(tree: string, donor?: string): Promise<void>
      /** Put the caches that their tools write into, into a home for programs in that copy. */
      copyCachesInto(home: string): Promise<void>
      /** Variables for programs in that copy, besides their own environment. */
      variables: Record<string, string>
      /** What these programs must be able to read. */
      readablePaths: string[]
      /** Folders in that copy whose programs can be called by name; those of the folder that a command goes to come first. */
      listProgramFolders(tree: string, command?: string): string[]
      /** The paths that were made, from the top of the tree. */
      paths: string[]
    }
  | { ok: false; reason: string }

/**
 * What uv and pnpm made is used as it is. Without this, `uv run` and `pnpm test` find that it lies in another place, or that the
 * manifest has another date, and want to install it again, without a network.
 */
const useAsInstalled = { UV_NO_SYNC: '1', pnpm_config_verify_deps_before_run: 'false' }

/** The paths that install commands made in a tree of the cache, to be copied into other trees; without any, only ignored files. */
export function createDependencies(
  session: SessionPaths,
  made?: { key: string; tree: string; home: string; paths: string[] },
): Dependencies {
  const { key = null, tree: source = '', paths = [] } = made ?? {}
  const caches = made ? findSharedCaches(made.home) : {}
  return {
    ok: true,
    key,
    paths,
    variables: made ? { ...caches, ...useAsInstalled } : {},
    readablePaths: Object.values(caches),
    copyCachesInto: async home => {
      if (made) await copyWrittenCaches(made.home, home)
    },
    async copyInto(tree, donor) {
      for (const name of paths) {
        const isMoved = donor !== undefined && fs.existsSync(path.join(donor, name))
        const from = isMoved ? donor : source
        const transfer = isMoved ? moveTree : copyTree
        if (await copyIntoTree(tree, name, path.join(from, name), transfer))
          relocateVenv(path.join(tree, name), from, tree)
      }
      await copyIgnoredFiles(session, tree)
    },
    listProgramFolders: (tree, command = '') =>
      sortByFolder(paths, readFirstFolder(command))
        .flatMap(name => [path.join(tree, name, '.bin'), path.join(tree, name, 'bin')])
        .filter(folder => /(node_modules\/\.bin|venv\/bin|env\/bin)$/.test(folder) && fs.existsSync(folder)),
  }
}

// --- internal ---

/** The folder that a command goes to before anything else: `cd worker && python3 -m pytest`. The top for any other. */
function readFirstFolder(command: string): string {
  const [, , quoted, plain] = /^\s*cd\s+(?:(["'])(.*?)\1|([^\s&;|"']+))\s*(?:&&|;)/.exec(command) ?? []
  return path.posix.normalize(quoted ?? plain ?? '.').replace(/\/$/, '')
}

/** The paths beside a folder or above it first, the nearest of all first. A repository may have an environment of Python for each part. */
function sortByFolder(paths: string[], folder: string): string[] {
  const rank = (name: string) => {
    const place = path.posix.dirname(name)
    return place === '.' || folder === place || folder.startsWith(`${place}/`) ? place.replace(/^\.$/, '').length : -1
  }
  return paths.toSorted((a, b) => rank(b) - rank(a))
}

/** A folder that is read-only, or on another disk, cannot be moved, so it is copied. */
async function moveTree(source: string, target: string): Promise<void> {
  try {
    fs.renameSync(source, target)
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EXDEV')) throw error
    await copyTree(source, target)
  }
}
