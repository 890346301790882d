import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { makePrivateFolder } from '#host/fs'
import { git, tryGit } from '#host/git'
import { sanitize } from '#host/text.ts'
import type { SessionPaths } from '../paths.ts'
import type { SessionStatus } from '../status/status.ts'

/** A commit and the tree it holds, by their full hashes. */
export interface Commit {
  commit: string
  tree: string
}

/** Where our own repository lies, and the work beside it. */
export interface SessionRepository {
  bareRepository: string
  outputs: string
  /** It is ours, and reads the objects of another one. */
  usesAlternates?: true
  /** Milliseconds after which git is stopped, where it looks at files that others may have laid out. */
  timeoutMs?: number
}

/** What a build leaves behind and nobody means to deliver. Ignored from the start, unless the repository tracks it. */
export const defaultIgnores = ['__pycache__/', '*.pyc', '.pytest_cache/', 'node_modules/', '.DS_Store', '.venv/', '']

/**
 * Make the base and the place of work: our own bare repository with the user's commit (or an empty one), and `outputs/`
 * as a full clone of it on a branch of its own. Nothing is shared with the user's repository: git's hard links were
 * measured to carry a damaged object back.
 */
export async function prepareRepository(
  paths: SessionPaths,
  branch: string,
  repository: string | undefined,
): Promise<Commit> {
  const { bareRepository, outputs } = paths
  fs.rmSync(bareRepository, { recursive: true, force: true })
  fs.rmSync(outputs, { recursive: true, force: true })
  await git(['init', '--quiet', '--bare', bareRepository])
  makePrivateFolder(path.join(bareRepository, 'info'))
  fs.writeFileSync(path.join(bareRepository, 'info/exclude'), defaultIgnores.join('\n'))
  const heads = ['refs/heads/base', `refs/heads/${branch}`]
  if (repository === undefined) {
    const root = await runInRepository(paths, [
      'commit-tree',
      await runInRepository(paths, ['mktree'], { input: '' }),
      '-m',
      'dispatch: an empty base',
    ])
    await runInRepository(paths, ['update-ref', '--stdin'], {
      input: heads.map(head => `create ${head} ${root}\n`).join(''),
    })
  } else {
    await runInRepository(paths, [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--update-shallow',
      repository,
      ...heads.map(head => `+HEAD:${head}`),
    ])
  }
  await git([
    'clone',
    '--quiet',
    '--no-hardlinks',
    '--no-tags',
    '--single-branch',
    '--branch',
    branch,
    bareRepository,
    outputs,
  ])
  await git(['remote', 'remove', 'origin'], { cwd: outputs }) // No way back to our repository.
  fs.appendFileSync(
    path.join(outputs, '.git/config'),
    '[user]\n\tname = Claude Dispatch worker\n\temail = worker@localhost\n[gc]\n\tauto = 0\n',
  )
  makePrivateFolder(path.join(outputs, '.git/info'))
  fs.writeFileSync(path.join(outputs, '.git/info/exclude'), defaultIgnores.join('\n'))
  return resolveCommitAndTree(paths, 'refs/heads/base')
}

/** Let git look past these paths in `outputs/`, for the worker there and for us: they are given to the work and no part of it. */
export function addIgnoredPaths({ bareRepository, outputs }: SessionPaths, names: string[]): void {
  for (const file of [path.join(bareRepository, 'info/exclude'), path.join(outputs, '.git/info/exclude')]) {
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
export async function importWork(paths: SessionPaths): Promise<Commit> {
  requireUnmodifiedRepository(paths)
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', paths.outputs, '+HEAD:refs/heads/work']
  const ran = await tryGit(['-c', 'fetch.fsckObjects=true', '--git-dir', paths.bareRepository, ...fetch])
  if (ran.exitCode !== 0)
    throw new DispatchError(`the work in ${paths.outputs} cannot be read: ${ran.stderr.trim()}`, {
      exitCode: exitCodes.integrity,
      remedy: 'Look at it with git; a damaged .git there is the usual cause.',
    })
  return resolveCommitAndTree(paths, 'refs/heads/work')
}

/** Files of `outputs/` that are not as in this commit: changed, missing or new, ignored ones left out. */
export async function listDifferences(paths: SessionRepository, commit: string): Promise<string[]> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-index-'))
  const env = { GIT_INDEX_FILE: path.join(scratch, 'index') }
  try {
    await runInRepository(paths, ['read-tree', commit], { env })
    const listed = await runInRepository(
      paths,
      ['--work-tree', paths.outputs, 'status', '--porcelain', '-z', ...statusOptions],
      {
        env,
      },
    )
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
const statusOptions = ['--untracked-files=all', '--no-renames', '--ignore-submodules=all']

/** What has changed in `outputs/` since the verdict that stands was given; empty while it holds. */
export async function listChangesSinceVerdict(
  paths: SessionPaths,
  { verdict }: Pick<SessionStatus, 'verdict'>,
): Promise<string[]> {
  if (!verdict) return []
  if (!fs.existsSync(paths.outputs)) return ['outputs/']
  try {
    return await listDifferences(paths, verdict.commit)
  } catch (error) {
    if (await hasCommit(paths, verdict.commit)) throw error
    return ['evidence/repository.git'] // What was judged is not there to compare with.
  }
}

/** Why a verdict no longer holds when these files have changed since; undefined when none has. Pure. */
export function describeVoidReason(changed: string[]): string | undefined {
  if (changed.length === 0) return undefined
  const more = changed.length > 5 ? ` and ${changed.length - 5} more` : ''
  return `${changed.slice(0, 5).join(', ').slice(0, 340)}${more} changed in outputs/ after the verdict`
}

/** Paths that differ between two commits, each with what happened to it; with globs, only what none of them matches. */
export async function listChangedPaths(
  paths: SessionRepository,
  from: string,
  to: string,
  allowedGlobs: string[] = [],
): Promise<{ path: string; change: 'added' | 'changed' | 'removed' }[]> {
  const excluded = allowedGlobs.flatMap(glob => [
    `:(exclude,glob)${glob}`,
    `:(exclude,glob)${glob.replace(/\/+$/, '')}/**`,
  ])
  const listed = await runInRepository(paths, [
    'diff',
    '--name-status',
    '--no-renames',
    '-z',
    from,
    to,
    '--',
    '.',
    ...excluded,
  ])
  const words = listed.split('\0')
  const found: { path: string; change: 'added' | 'changed' | 'removed' }[] = []
  for (let at = 0; at + 1 < words.length; at += 2) {
    const change = words[at] === 'A' ? 'added' : words[at] === 'D' ? 'removed' : 'changed'
    found.push({ path: words[at + 1] ?? '', change })
  }
  return found
}

/** Every file of a commit with its size in bytes and the hash of its content. */
export async function listCommitFiles(
  paths: SessionRepository,
  commit: string,
): Promise<{ path: string; sizeBytes: number; blob: string }[]> {
  const listed = await runInRepository(paths, ['ls-tree', '-r', '-l', '-z', commit])
  return listed
    .split('\0')
    .filter(Boolean)
    .map(entry => {
      const [facts = '', name = ''] = entry.split('\t')
      const [, , blob = '', bytes] = facts.split(/\s+/)
      return { path: name, sizeBytes: Number(bytes) || 0, blob }
    })
}

/** Nested repositories that a commit records: only their commit's name is in the tree, none of their files. */
export async function listNestedRepositories(paths: SessionPaths, commit: string): Promise<string[]> {
  const listed = await runInRepository(paths, ['ls-tree', '-r', '-z', commit])
  return listed
    .split('\0')
    .filter(entry => entry.startsWith('160000 '))
    .map(entry => entry.slice(entry.indexOf('\t') + 1))
}

/** Write the tree of a commit into an empty folder, without any trace of git; or only these `files` of it. */
export async function exportTree(
  paths: SessionPaths,
  commit: string,
  folder: string,
  onlyFiles?: string[],
): Promise<void> {
  const env = { GIT_INDEX_FILE: `${folder}.index` }
  await runInRepository(paths, ['read-tree', commit], { env })
  const which = onlyFiles === undefined ? ['--all'] : ['-z', '--stdin']
  const input = onlyFiles?.map(file => `${file}\0`).join('') ?? ''
  await runInRepository(paths, ['--work-tree', folder, 'checkout-index', '--force', ...which], { env, input })
  fs.rmSync(env.GIT_INDEX_FILE, { force: true })
}

/** Keep a commit under a name of its own, so that it stays whatever happens to the branch. */
export async function createReference(paths: SessionPaths, name: string, commit: string): Promise<void> {
  await runInRepository(paths, ['update-ref', `refs/heads/${name}`, commit])
}

/**
 * See that every object of these trees is what its name says: git itself looks only at the name when it lays files out. Throws
 * exit 13 where one is not.
 */
export async function verifyObjects(paths: SessionRepository, ...trees: string[]): Promise<void> {
  requireUnmodifiedRepository(paths)
  const ran = await tryGit(['--git-dir', paths.bareRepository, 'rev-list', '--verify-objects', '--quiet', ...trees])
  if (ran.exitCode === 0) return
  throw new DispatchError(
    `an object in evidence/repository.git is not what its name says: ${sanitize(ran.stderr.trim())}`,
    {
      exitCode: exitCodes.integrity,
    },
  )
}

/** Does our own repository still hold this commit, whole? */
export async function hasCommit(paths: Pick<SessionPaths, 'bareRepository'>, commit: string): Promise<boolean> {
  if (findForeignConfig(paths) !== undefined) return false
  return (
    (await tryGit(['--git-dir', paths.bareRepository, 'rev-list', '--objects', '--quiet', `${commit}^{tree}`]))
      .exitCode === 0
  )
}

async function resolveCommitAndTree(paths: SessionPaths, name: string): Promise<Commit> {
  const [commit = '', tree = ''] = (
    await runInRepository(paths, ['rev-parse', `${name}^{commit}`, `${name}^{tree}`])
  ).split('\n')
  return { commit, tree }
}

function runInRepository(
  paths: SessionRepository,
  args: string[],
  options: Parameters<typeof git>[1] = {},
): Promise<string> {
  const { bareRepository, timeoutMs } = paths
  requireUnmodifiedRepository(paths)
  const own = ['--git-dir', bareRepository, ...strictOptions, ...args]
  return git(own, { ...options, ...(timeoutMs === undefined ? {} : { timeoutMs: timeoutMs }) })
}

/** Settings by which git would see less than there is, where its own look at the file system is not needed to know better. */
const strictOptions = [
  ...['-c', 'core.fileMode=true'],
  ...(process.platform === 'linux' ? ['-c', 'core.ignoreCase=false', '-c', 'core.precomposeUnicode=false'] : []),
]

/**
 * Git runs the filters that a repository's configuration names, and a session may have been copied here from anywhere: none
 * is run in a repository that says more than what git itself wrote there when it was made.
 */
function requireUnmodifiedRepository(paths: Pick<SessionRepository, 'bareRepository' | 'usesAlternates'>): void {
  const { bareRepository } = paths
  const foreign = findForeignConfig(paths)
  if (foreign === undefined) return
  throw new DispatchError(`${bareRepository} is not set up as dispatch made it: ${sanitize(foreign)}`, {
    exitCode: exitCodes.integrity,
    remedy: 'Somebody has changed it, and git is not run there. `dispatch audit` tells what else is wrong.',
  })
}

/** Files by which git takes configuration, objects or attributes from elsewhere. We make none of them. */
const redirectingFiles = ['commondir', 'config.worktree', 'info/attributes', 'info/grafts', 'objects/info/alternates']

const section = /^\[(core|extensions)\]$/
const setting =
  /^(repositoryformatversion|filemode|bare|ignorecase|precomposeunicode|symlinks|objectformat|refstorage) = \w+$/

/** What is there that `git init --bare` does not write, on any system: a file, or a line of its configuration. */
export function findForeignConfig({
  bareRepository,
  usesAlternates,
}: Pick<SessionRepository, 'bareRepository' | 'usesAlternates'>): string | undefined {
  if (!fs.lstatSync(bareRepository, { throwIfNoEntry: false })?.isDirectory()) return 'it is no folder'
  const files = usesAlternates ? redirectingFiles.slice(0, -1) : redirectingFiles
  const found = files.find(
    name => fs.lstatSync(path.join(bareRepository, name), { throwIfNoEntry: false }) !== undefined,
  )
  if (found !== undefined) return found
  const config = fs.lstatSync(path.join(bareRepository, 'config'), { throwIfNoEntry: false })
  if (!config?.isFile() || config.size > 4096) return 'its config is gone, or is none of ours'
  const lines = fs
    .readFileSync(path.join(bareRepository, 'config'), 'utf8')
    .split('\n')
    .map(line => line.trim())
  return lines.find(line => line !== '' && !section.test(line) && !setting.test(line))
}
