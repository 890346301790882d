import fs from 'node:fs'
import path from 'node:path'
import { readIfPresent } from '#host/fs'
import type { SessionPaths } from '../paths.ts'
import { runBareGit } from './bare-git.ts'
import { checkOutFiles } from './export.ts'
import { BASE_BRANCH_PREFIX, BASE_REF, type Commit, formatIgnores } from './repository.ts'

/**
 * Write the files of a commit into an empty folder, as a repository of its own: the history of the base with its tags, and one
 * commit on top with the judged tree. Only what the user wrote and the judged tree are in it; nothing else of an agent, such
 * as a message, a tag or an earlier version. So the same base and tree always give the same repository. Returns the folders
 * outside that it reads; nothing is ever written there.
 */
export async function exportRepository(
  paths: SessionPaths,
  { commit, tree }: Commit,
  folder: string,
  ignoredPaths: string[],
): Promise<string[]> {
  const index = await checkOutFiles(paths, commit, folder)
  const gitFolder = path.join(folder, '.git')
  const history = findBaseObjects(paths)
  const references = await computeReferences(paths, tree)
  createGitFolder(paths, gitFolder, history, ignoredPaths)
  fs.writeFileSync(path.join(gitFolder, 'packed-refs'), references.text)
  fs.renameSync(index, path.join(gitFolder, 'index'))
  if (references.head !== references.base) {
    const pack = ['pack-objects', '--quiet', '--revs', '--non-empty', path.join(gitFolder, 'objects/pack/pack')]
    await runBareGit(paths, pack, { input: `${references.head}\n^${references.base}\n` })
  }
  return [history]
}

// --- internal ---

/** The branches and tags of such a repository, as its file `packed-refs`. */
interface References {
  base: string
  /** The base itself, or the commit with the judged tree. */
  head: string
  text: string
}

/** Where the objects of the base are: in the store that the bare repository borrows from, or in itself. */
function findBaseObjects({ bareRepository }: SessionPaths): string {
  const objects = path.join(bareRepository, 'objects')
  return readIfPresent(path.join(objects, 'info/alternates'))?.trim() || objects
}

const JUDGED_MESSAGE = 'The judged tree'
const CHECK_CONFIG = '[user]\n\tname = Claude Dispatch\n\temail = dispatch@localhost\n[gc]\n\tauto = 0\n'

/** By repository and tree. They never change, and every check asks. */
const knownReferences = new Map<string, References>()

async function computeReferences(paths: SessionPaths, tree: string): Promise<References> {
  const key = `${paths.bareRepository} ${tree}`
  const known = knownReferences.get(key)
  if (known) return known
  const format = '--format=%(objectname) %(refname) %(tree) %(committerdate:unix)'
  const listing = await runBareGit(paths, ['for-each-ref', format, BASE_REF, BASE_BRANCH_PREFIX, 'refs/tags'])
  const lines = listing.split('\n').map(line => line.split(' '))
  const [base = '', , baseTree, seconds = ''] = lines.find(([, name]) => name === BASE_REF) ?? []
  const head = tree === baseTree ? base : await createJudgedCommit(paths, tree, base, seconds)
  const names = lines.flatMap(([object = '', name = '']) => (name === BASE_REF ? [] : [[object, name]]))
  const text = [...names, [head, getWorkBranch(paths)]]
    .map(([object, name = '']) => `${object} ${name.replace(BASE_BRANCH_PREFIX, 'refs/heads/')}\n`)
    .join('')
  knownReferences.set(key, { base, head, text })
  return { base, head, text }
}

/** A commit of this tree. Author, time and message say nothing of the work. */
function createJudgedCommit(paths: SessionPaths, tree: string, base: string, seconds: string): Promise<string> {
  const date = `${seconds} +0000`
  const env = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
  return runBareGit(paths, ['commit-tree', tree, '-p', base, '-m', JUDGED_MESSAGE], { env })
}

/** A `.git` without hooks, remotes and any configuration but that of the file system. */
function createGitFolder(paths: SessionPaths, gitFolder: string, history: string, ignoredPaths: string[]): void {
  const { bareRepository } = paths
  const readBare = (name: string) => fs.readFileSync(path.join(bareRepository, name), 'utf8')
  fs.mkdirSync(gitFolder) // Git writes no tree with a file of this name, so it cannot exist.
  for (const name of ['refs', 'info', 'objects', 'objects/info', 'objects/pack'])
    fs.mkdirSync(path.join(gitFolder, name))
  const write = (name: string, text: string) => fs.writeFileSync(path.join(gitFolder, name), text)
  write('HEAD', `ref: ${getWorkBranch(paths)}\n`)
  write('config', `${readBare('config').replace('bare = true', 'bare = false')}${CHECK_CONFIG}`)
  write('info/exclude', `${readBare('info/exclude')}\n${formatIgnores(ignoredPaths).join('\n')}\n`)
  write('objects/info/alternates', `${history}\n`)
  if (fs.existsSync(path.join(bareRepository, 'shallow'))) write('shallow', readBare('shallow'))
}

function getWorkBranch({ folder }: SessionPaths): string {
  return `refs/heads/dispatch/${path.basename(folder)}`
}
