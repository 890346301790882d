import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exits, git, makePrivate, printable, tryGit } from '../host/index.ts'
import type { Paths } from './paths.ts'
import type { Status } from './status.ts'

/** A commit and the tree it holds, by their full hashes. */
export interface Commit {
  commit: string
  tree: string
}

/** Where our own repository lies, and the work beside it. */
export interface Trees {
  trees: string
  outputs: string
  /** It is ours, and reads the objects of another one. */
  borrows?: true
  /** Milliseconds after which git is stopped, where it looks at files that others may have laid out. */
  deadline?: number
}

/** What a build leaves behind and nobody means to deliver. Ignored from the start, unless the repository tracks it. */
export const litter = ['__pycache__/', '*.pyc', '.pytest_cache/', 'node_modules/', '.DS_Store', '.venv/', '']

/**
 * Make the base and the place of work: our own bare repository with the user's commit (or an empty one), and `outputs/`
 * as a full clone of it on a branch of its own. Nothing is shared with the user's repository: git's hard links were
 * measured to carry a damaged object back.
 */
export async function prepareTrees(paths: Paths, branch: string, repository: string | undefined): Promise<Commit> {
  const { trees, outputs } = paths
  fs.rmSync(trees, { recursive: true, force: true })
  fs.rmSync(outputs, { recursive: true, force: true })
  await git(['init', '--quiet', '--bare', trees])
  makePrivate(path.join(trees, 'info'))
  fs.writeFileSync(path.join(trees, 'info/exclude'), litter.join('\n'))
  const heads = ['refs/heads/base', `refs/heads/${branch}`]
  if (repository === undefined) {
    const root = await ours(paths, [
      'commit-tree',
      await ours(paths, ['mktree'], { input: '' }),
      '-m',
      'dispatch: an empty base',
    ])
    await ours(paths, ['update-ref', '--stdin'], { input: heads.map(head => `create ${head} ${root}\n`).join('') })
  } else {
    await ours(paths, [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--update-shallow',
      repository,
      ...heads.map(head => `+HEAD:${head}`),
    ])
  }
  await git(['clone', '--quiet', '--no-hardlinks', '--no-tags', '--single-branch', '--branch', branch, trees, outputs])
  await git(['remote', 'remove', 'origin'], { cwd: outputs }) // No way back to our repository.
  fs.appendFileSync(
    path.join(outputs, '.git/config'),
    '[user]\n\tname = Claude Dispatch worker\n\temail = worker@localhost\n[gc]\n\tauto = 0\n',
  )
  makePrivate(path.join(outputs, '.git/info'))
  fs.writeFileSync(path.join(outputs, '.git/info/exclude'), litter.join('\n'))
  return commitOf(paths, 'refs/heads/base')
}

/** Let git look past these paths in `outputs/`, for the worker there and for us: they are given to the work and no part of it. */
export function ignoreInTrees({ trees, outputs }: Paths, names: string[]): void {
  for (const file of [path.join(trees, 'info/exclude'), path.join(outputs, '.git/info/exclude')]) {
    const known = fs.readFileSync(file, 'utf8')
    const lines = names
      .map(name => `/${name.replace(/[\\*?[\]! #]/g, '\\$&')}`)
      .filter(line => !known.split('\n').includes(line))
    if (lines.length > 0) fs.writeFileSync(file, `${known.replace(/\n?$/, '\n')}${lines.join('\n')}\n`)
  }
}

/**
 * The commit that `outputs/` stands at, fetched into our own repository: no git ever runs with that folder's config. Objects
 * that git itself finds suspicious are refused, as they would be by the user's repository later.
 */
export async function importHead(paths: Paths): Promise<Commit> {
  requireOwn(paths)
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', paths.outputs, '+HEAD:refs/heads/work']
  const ran = await tryGit(['-c', 'fetch.fsckObjects=true', '--git-dir', paths.trees, ...fetch])
  if (ran.code !== 0)
    throw new DispatchError(`the work in ${paths.outputs} cannot be read: ${ran.stderr.trim()}`, {
      exit: exits.integrity,
      remedy: 'Look at it with git; a damaged .git there is the usual cause.',
    })
  return commitOf(paths, 'refs/heads/work')
}

/** Files of `outputs/` that are not as in this commit: changed, missing or new, ignored ones left out. */
export async function differences(paths: Trees, commit: string): Promise<string[]> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-index-'))
  const env = { GIT_INDEX_FILE: path.join(scratch, 'index') }
  try {
    await ours(paths, ['read-tree', commit], { env })
    const listed = await ours(paths, ['--work-tree', paths.outputs, 'status', '--porcelain', '-z', ...everyFile], {
      env,
    })
    // The index holds no stat of the files yet, so every line with an X in the first column compares it with nothing.
    return listed
      .split('\0')
      .filter(entry => entry !== '' && (entry.startsWith('??') || entry[1] !== ' '))
      .map(entry => entry.slice(3))
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

/** Git would look into a nested repository with the nested one's own config, and run the filters it names. */
const everyFile = ['--untracked-files=all', '--no-renames', '--ignore-submodules=all']

/** What has changed in `outputs/` since the verdict that stands was given; empty while it holds. */
export async function changedSinceVerdict(paths: Paths, { verdict }: Pick<Status, 'verdict'>): Promise<string[]> {
  if (!verdict) return []
  if (!fs.existsSync(paths.outputs)) return ['outputs/']
  try {
    return await differences(paths, verdict.commit)
  } catch (error) {
    if (await hasCommit(paths, verdict.commit)) throw error
    return ['evidence/trees.git'] // What was judged is not there to compare with.
  }
}

/** Why a verdict no longer holds when these files have changed since; undefined when none has. Pure. */
export function voidBy(changed: string[]): string | undefined {
  if (changed.length === 0) return undefined
  const more = changed.length > 5 ? ` and ${changed.length - 5} more` : ''
  return `${changed.slice(0, 5).join(', ').slice(0, 340)}${more} changed in outputs/ after the verdict`
}

/** Paths that differ between two commits, each with what happened to it; with globs, only what none of them matches. */
export async function changedPaths(
  paths: Trees,
  from: string,
  to: string,
  outside: string[] = [],
): Promise<{ path: string; change: 'added' | 'changed' | 'removed' }[]> {
  const excluded = outside.flatMap(glob => [`:(exclude,glob)${glob}`, `:(exclude,glob)${glob.replace(/\/+$/, '')}/**`])
  const listed = await ours(paths, ['diff', '--name-status', '--no-renames', '-z', from, to, '--', '.', ...excluded])
  const words = listed.split('\0')
  const found: { path: string; change: 'added' | 'changed' | 'removed' }[] = []
  for (let at = 0; at + 1 < words.length; at += 2) {
    const change = words[at] === 'A' ? 'added' : words[at] === 'D' ? 'removed' : 'changed'
    found.push({ path: words[at + 1] ?? '', change })
  }
  return found
}

/** Every file of a commit with its size in bytes and the hash of its content. */
export async function listing(paths: Trees, commit: string): Promise<{ path: string; bytes: number; blob: string }[]> {
  const listed = await ours(paths, ['ls-tree', '-r', '-l', '-z', commit])
  return listed
    .split('\0')
    .filter(Boolean)
    .map(entry => {
      const [facts = '', name = ''] = entry.split('\t')
      const [, , blob = '', bytes] = facts.split(/\s+/)
      return { path: name, bytes: Number(bytes) || 0, blob }
    })
}

/** Nested repositories that a commit records: only their commit's name is in the tree, none of their files. */
export async function nestedRepositories(paths: Paths, commit: string): Promise<string[]> {
  const listed = await ours(paths, ['ls-tree', '-r', '-z', commit])
  return listed
    .split('\0')
    .filter(entry => entry.startsWith('160000 '))
    .map(entry => entry.slice(entry.indexOf('\t') + 1))
}

/** Write the tree of a commit into an empty folder, without any trace of git; or only these `files` of it. */
export async function exportTree(paths: Paths, commit: string, folder: string, files?: string[]): Promise<void> {
  const env = { GIT_INDEX_FILE: `${folder}.index` }
  await ours(paths, ['read-tree', commit], { env })
  const which = files === undefined ? ['--all'] : ['-z', '--stdin']
  const input = files?.map(file => `${file}\0`).join('') ?? ''
  await ours(paths, ['--work-tree', folder, 'checkout-index', '--force', ...which], { env, input })
  fs.rmSync(env.GIT_INDEX_FILE, { force: true })
}

/** Keep a commit under a name of its own, so that it stays whatever happens to the branch. */
export async function keep(paths: Paths, name: string, commit: string): Promise<void> {
  await ours(paths, ['update-ref', `refs/heads/${name}`, commit])
}

/**
 * See that every object of these trees is what its name says: git itself looks only at the name when it lays files out. Throws
 * exit 13 where one is not.
 */
export async function verifyTrees(paths: Trees, ...trees: string[]): Promise<void> {
  requireOwn(paths)
  const ran = await tryGit(['--git-dir', paths.trees, 'rev-list', '--verify-objects', '--quiet', ...trees])
  if (ran.code === 0) return
  throw new DispatchError(
    `an object in evidence/trees.git is not what its name says: ${printable(ran.stderr.trim())}`,
    {
      exit: exits.integrity,
    },
  )
}

/** Does our own repository still hold this commit, whole? */
export async function hasCommit(paths: Pick<Paths, 'trees'>, commit: string): Promise<boolean> {
  if (foreignIn(paths) !== undefined) return false
  return (await tryGit(['--git-dir', paths.trees, 'rev-list', '--objects', '--quiet', `${commit}^{tree}`])).code === 0
}

async function commitOf(paths: Paths, name: string): Promise<Commit> {
  const [commit = '', tree = ''] = (await ours(paths, ['rev-parse', `${name}^{commit}`, `${name}^{tree}`])).split('\n')
  return { commit, tree }
}

function ours(paths: Trees, args: string[], options: Parameters<typeof git>[1] = {}): Promise<string> {
  const { trees, deadline } = paths
  requireOwn(paths)
  const own = ['--git-dir', trees, ...strict, ...args]
  return git(own, { ...options, ...(deadline === undefined ? {} : { deadline }) })
}

/** Settings by which git would see less than there is, where its own look at the file system is not needed to know better. */
const strict = [
  ...['-c', 'core.fileMode=true'],
  ...(process.platform === 'linux' ? ['-c', 'core.ignoreCase=false', '-c', 'core.precomposeUnicode=false'] : []),
]

/**
 * Git runs the filters that a repository's configuration names, and a session may have been copied here from anywhere: none
 * is run in a repository that says more than what git itself wrote there when it was made.
 */
function requireOwn(paths: Pick<Trees, 'trees' | 'borrows'>): void {
  const { trees } = paths
  const foreign = foreignIn(paths)
  if (foreign === undefined) return
  throw new DispatchError(`${trees} is not set up as dispatch made it: ${printable(foreign)}`, {
    exit: exits.integrity,
    remedy: 'Somebody has changed it, and git is not run there. `dispatch audit` tells what else is wrong.',
  })
}

/** Files by which git takes configuration, objects or attributes from elsewhere. We make none of them. */
const leading = ['commondir', 'config.worktree', 'info/attributes', 'info/grafts', 'objects/info/alternates']

const section = /^\[(core|extensions)\]$/
const setting =
  /^(repositoryformatversion|filemode|bare|ignorecase|precomposeunicode|symlinks|objectformat|refstorage) = \w+$/

/** What is there that `git init --bare` does not write, on any system: a file, or a line of its configuration. */
export function foreignIn({ trees, borrows }: Pick<Trees, 'trees' | 'borrows'>): string | undefined {
  if (!fs.lstatSync(trees, { throwIfNoEntry: false })?.isDirectory()) return 'it is no folder'
  const files = borrows ? leading.slice(0, -1) : leading
  const found = files.find(name => fs.lstatSync(path.join(trees, name), { throwIfNoEntry: false }) !== undefined)
  if (found !== undefined) return found
  const config = fs.lstatSync(path.join(trees, 'config'), { throwIfNoEntry: false })
  if (!config?.isFile() || config.size > 4096) return 'its config is gone, or is none of ours'
  const lines = fs
    .readFileSync(path.join(trees, 'config'), 'utf8')
    .split('\n')
    .map(line => line.trim())
  return lines.find(line => line !== '' && !section.test(line) && !setting.test(line))
}
