import fs from 'node:fs'
import path from 'node:path'
import { readIfPresent } from '#host/fs'
import { redirectObjects } from '#host/git'
import { lfsConfig, lfsFilterFolder } from '#host/lfs'
import type { SessionPaths } from '../paths.ts'
import { runBareGit } from './bare-git.ts'
import { checkOutFiles } from './commit-files.ts'
import { createGitFolder } from './git-folder.ts'
import { writeLfsFiles } from './lfs.ts'
import { BASE_BRANCH_PREFIX, BASE_REF, type Commit, formatIgnores } from './repository.ts'
import { writeSubmodules } from './submodules.ts'
import { writeUnnormalized } from './unnormalized.ts'

/**
 * Write the files of a commit into an empty folder, as a repository of its own: the history of the base with its tags, and one
 * commit on top with the judged tree. Only what the user wrote and the judged tree are in it; nothing else of an agent, such
 * as a message, a tag or an earlier version. So the same base and tree always give the same repository. The base is that of the
 * session, or `base`, such as the target of a landing. Returns the folders outside that it reads; nothing is ever written there.
 */
export async function exportRepository(
  paths: SessionPaths,
  { commit, tree, base }: Commit & { base?: string },
  folder: string,
  ignoredPaths: string[],
): Promise<string[]> {
  const gitFolder = path.join(folder, '.git')
  const { head, known, text } = await computeReferences(paths, tree, base)
  const readBare = (name: string) => readIfPresent(path.join(paths.bareRepository, name)) ?? ''
  createGitFolder(paths, gitFolder, {
    head: `ref: ${getWorkBranch(paths)}`,
    shallow: readBare('shallow').split('\n').filter(Boolean),
    config: lfsConfig,
    ignores: [readBare('info/exclude'), ...formatIgnores(ignoredPaths), ''],
  })
  fs.writeFileSync(path.join(gitFolder, 'packed-refs'), text)
  // Git writes no file into a folder of the name `.git`.
  await checkOutFiles(paths, commit, folder, path.join(gitFolder, 'index'))
  if (head !== known) {
    const objects = path.join(gitFolder, 'objects')
    const pack = ['pack-objects', '--quiet', '--revs', '--non-empty', path.join(objects, 'pack/pack')]
    const env = redirectObjects(objects, path.join(paths.bareRepository, 'objects'))
    await runBareGit(paths, pack, { input: `${head}\n^${known}\n`, env })
  }
  await writeUnnormalized(paths, folder)
  await writeLfsFiles(paths, commit, folder)
  await writeSubmodules(paths, commit, folder)
  return [paths.baseObjects, lfsFilterFolder]
}

// --- internal ---

/** The branches and tags of such a repository, as its file `packed-refs`. */
interface References {
  /** The base of the session, whose objects need no copy. */
  known: string
  /** The base itself, or the commit with the judged tree. */
  head: string
  text: string
}

const JUDGED_MESSAGE = 'The judged tree'

/** By repository, base and tree. They never change, and every check asks. */
const knownReferences = new Map<string, References>()

async function computeReferences(paths: SessionPaths, tree: string, otherBase = BASE_REF): Promise<References> {
  const key = `${paths.bareRepository} ${otherBase} ${tree}`
  const computed = knownReferences.get(key)
  if (computed) return computed
  const listing = await runBareGit(paths, [
    'for-each-ref',
    '--format=%(objectname) %(refname)',
    BASE_REF,
    BASE_BRANCH_PREFIX,
    'refs/tags',
  ])
  const lines = listing.split('\n').map(line => line.split(' '))
  const known = lines.find(([, name]) => name === BASE_REF)?.[0] ?? ''
  const shown = await runBareGit(paths, ['show', '--no-patch', '--format=%H %T %ct', otherBase])
  const [base = '', baseTree, seconds = ''] = shown.split(' ')
  const head = tree === baseTree ? base : await createJudgedCommit(paths, tree, base, seconds)
  const names = lines.flatMap(([object = '', name = '']) => {
    if (name === BASE_REF) return []
    return [[name.startsWith(BASE_BRANCH_PREFIX) ? base : object, name]]
  })
  const text = [...names, [head, getWorkBranch(paths)]]
    .map(([object, name = '']) => `${object} ${name.replace(BASE_BRANCH_PREFIX, 'refs/heads/')}\n`)
    .join('')
  knownReferences.set(key, { known, head, text })
  return { known, head, text }
}

/** A commit of this tree. Author, time and message say nothing of the work. */
function createJudgedCommit(paths: SessionPaths, tree: string, base: string, seconds: string): Promise<string> {
  const date = `${seconds} +0000`
  const env = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
  return runBareGit(paths, ['commit-tree', tree, '-p', base, '-m', JUDGED_MESSAGE], { env })
}

function getWorkBranch({ folder }: SessionPaths): string {
  return `refs/heads/dispatch/${path.basename(folder)}`
}
