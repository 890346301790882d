import fs from 'node:fs'
import path from 'node:path'
import { listDifferences } from '../repository/diff.ts'
import { findForeignConfig } from '../repository/integrity.ts'
import {
  hasObject,
  type IsolatedRepository,
  listBrokenObjects,
  listExtraIgnores,
  listSpecialFiles,
  listStagedChanges,
} from './isolated-git.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import { GONE, isFolder, MAX_BYTES, readCapped, type SessionFiles, selectEvents } from './session-files.ts'
import { listVerdictEvents, type VerdictEvent } from './verdict.ts'

/**
 * Check that `outputs/` has the judged files, and that the bare repository is intact. A string says why git must not
 * run there.
 */
export async function auditWorktree(
  files: SessionFiles,
  repository: IsolatedRepository | string,
): Promise<AuditProblem[]> {
  const problems = new AuditProblems('worktree')
  if (typeof repository === 'string') {
    if (files.status.base) problems.addDamage(BARE_REPOSITORY, repository, 'The judged work was not compared.')
    return problems.list
  }
  await auditRepository(files, repository, problems)
  const verdict = findFinalVerdict(files)
  if (verdict) await auditOutputs(files, repository, verdict, problems)
  else problems.addNote('outputs', 'there is no final verdict to compare it with')
  return problems.list
}

/** Check that git's index and HEAD in `outputs/` are at the judged commit. */
export async function auditGitIndex(
  files: SessionFiles,
  repository: IsolatedRepository | undefined,
): Promise<AuditProblem[]> {
  const problems = new AuditProblems('index')
  const verdict = findFinalVerdict(files)
  const gitFolder = path.join(files.paths.outputs, '.git')
  if (!verdict || !repository) return problems.list
  if (!isFolder(gitFolder)) {
    problems.addDamage('outputs/.git', 'is gone, or is not a folder', 'outputs/ is not a repository any more.')
    return problems.list
  }
  const head = readHead(gitFolder)
  if (head !== verdict.commit)
    problems.addDamage(
      'outputs/.git/HEAD',
      `is at ${head?.slice(0, 10) ?? 'nothing readable'}, but ${verdict.commit.slice(0, 10)} was judged`,
      'The branch there is not the judged work.',
    )
  await auditStagedChanges(gitFolder, repository, verdict, problems)
  return problems.list
}

// --- internal ---

const BARE_REPOSITORY = 'evidence/repository.git'
const INDEX_FILE = 'outputs/.git/index'
const MAX_LISTED_FILES = 10
const MAX_ERROR_CHARS = 300
const NOT_JUDGED = 'The verdict does not apply to outputs/. The judged version is in evidence/repository.git.'
const NOT_JUDGED_IN_INDEX = 'A commit made there is not the judged work.'

/** Find the final verdict on what is in `outputs/`; undefined while work continues. */
function findFinalVerdict(files: SessionFiles): VerdictEvent | undefined {
  const verdict = listVerdictEvents(files).at(-1)
  const isWorkQueued = selectEvents(files, 'worker.queued').some(({ index }) => index > (verdict?.index ?? 0))
  return verdict?.isFinal && !isWorkQueued && files.status.verdict ? verdict : undefined
}

async function auditRepository(
  files: SessionFiles,
  repository: IsolatedRepository,
  problems: AuditProblems,
): Promise<void> {
  const { paths } = files
  const foreign = findForeignConfig(paths)
  if (foreign !== undefined)
    problems.addDamage(
      BARE_REPOSITORY,
      `is not set up as dispatch made it: ${foreign.slice(0, 80)}`,
      'Git was not run in it.',
    )
  if (fs.existsSync(path.join(paths.bareRepository, 'refs/replace')))
    problems.addDamage(
      `${BARE_REPOSITORY}/refs/replace`,
      'replaces objects with others',
      'Dispatch ignores it, but git does not.',
    )
  for (const line of listExtraIgnores(paths))
    problems.addDamage(
      `${BARE_REPOSITORY}/info/exclude`,
      `hides \`${line.slice(0, 80)}\``,
      'New files in outputs/ may have been missed.',
    )
  const commitsByBranch = [...listKnownCommits(files)].filter(([, commit]) => isHash(commit))
  const broken = await listBrokenObjects(repository, [...new Set(commitsByBranch.map(([, commit]) => commit))])
  for (const line of broken.slice(0, MAX_LISTED_FILES))
    problems.addDamage(BARE_REPOSITORY, line.slice(0, 200), 'The judged work is damaged.')
  for (const [branch, commit] of commitsByBranch) auditBranch(files, branch, commit, problems)
}

/** By branch of the bare repository, the commit that it has in the log. */
function listKnownCommits(files: SessionFiles): Map<string, string> {
  const commits = new Map<string, string>()
  if (files.status.base) commits.set('base', files.status.base.commit)
  for (const { round, commit } of listVerdictEvents(files)) {
    if (selectEvents(files, 'judging.started').some(started => started.round === round))
      commits.set(`round-${round}`, commit)
    commits.set('judged', commit)
  }
  return commits
}

function auditBranch(files: SessionFiles, branch: string, commit: string, problems: AuditProblems): void {
  const actual = readReference(files.paths.bareRepository, `refs/heads/${branch}`)
  if (actual === commit || (branch === 'judged' && files.status.phase === 'judging')) return
  problems.addDamage(
    BARE_REPOSITORY,
    `its branch ${branch} is at ${actual?.slice(0, 10) ?? 'nothing'}, but at ${commit.slice(0, 10)} in the log`,
    'A fetch of it does not get what the log says.',
  )
}

async function auditOutputs(
  { paths }: SessionFiles,
  repository: IsolatedRepository,
  verdict: VerdictEvent,
  problems: AuditProblems,
): Promise<void> {
  const [special] = listSpecialFiles(paths.outputs, isReadByGit)
  if (special !== undefined)
    return problems.addDamage(
      'outputs',
      `has a special file that git must not read: ${special}`,
      'It was not compared with the judged work.',
    )
  const changedFiles = await listDifferences(repository, verdict.commit).catch((error: Error) => error)
  if (changedFiles instanceof Error)
    return problems.addDamage(
      'outputs',
      `cannot be compared: ${changedFiles.message.slice(0, MAX_ERROR_CHARS)}`,
      'Whether it is the judged work is unknown.',
    )
  for (const file of changedFiles.slice(0, MAX_LISTED_FILES))
    problems.addDamage(`outputs/${file}`, 'differs from the judged version', NOT_JUDGED)
  if (changedFiles.length > MAX_LISTED_FILES)
    problems.addDamage('outputs', `and ${changedFiles.length - MAX_LISTED_FILES} more files`, NOT_JUDGED)
}

/** Git reads these files by itself, so a pipe in place of one would block it. */
function isReadByGit(file: string): boolean {
  return /\/\.git(\/|ignore$|attributes$|$)/.test(file) && !isLink(file)
}

async function auditStagedChanges(
  gitFolder: string,
  repository: IsolatedRepository,
  verdict: VerdictEvent,
  problems: AuditProblems,
): Promise<void> {
  const index = readCapped(path.join(gitFolder, 'index'), MAX_BYTES.index)
  if (index.bytes === undefined) {
    if (index.reason !== GONE) problems.addDamage(INDEX_FILE, index.reason, NOT_JUDGED_IN_INDEX)
    return
  }
  const staged = await listStagedChanges(repository, index.bytes, verdict.commit).catch((error: Error) => error)
  if (staged instanceof Error)
    return problems.addDamage(
      INDEX_FILE,
      `cannot be read: ${staged.message.slice(0, MAX_ERROR_CHARS)}`,
      NOT_JUDGED_IN_INDEX,
    )
  for (const { status, object, path: file } of staged.slice(0, MAX_LISTED_FILES)) {
    const isEarlierVersion = status === 'D' || (status === 'M' && (await hasObject(repository, object)))
    if (isEarlierVersion) problems.addNote(INDEX_FILE, `an earlier version of ${file} is staged`)
    else problems.addDamage(INDEX_FILE, `a version of ${file} is staged that was not judged`, NOT_JUDGED_IN_INDEX)
  }
}

/** Read HEAD without git, which would use the configuration beside it. */
function readHead(gitFolder: string): string | undefined {
  const text = readCapped(path.join(gitFolder, 'HEAD'), MAX_REFERENCE_BYTES).bytes?.toString('utf8').trim() ?? ''
  const [, reference] = /^ref: (refs\/[\w./-]+)$/.exec(text) ?? []
  if (reference === undefined) return isHash(text) ? text : undefined
  return reference.includes('..') ? undefined : readReference(gitFolder, reference)
}

function readReference(gitFolder: string, reference: string): string | undefined {
  const loose = readCapped(path.join(gitFolder, reference), MAX_REFERENCE_BYTES).bytes?.toString('utf8').trim()
  if (loose !== undefined) return isHash(loose) ? loose : undefined
  const packed = readCapped(path.join(gitFolder, 'packed-refs'), MAX_BYTES.output).bytes?.toString('utf8') ?? ''
  return packed
    .split('\n')
    .find(line => line.endsWith(` ${reference}`))
    ?.split(' ')[0]
}

const MAX_REFERENCE_BYTES = 4096

function isHash(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text)
}

function isLink(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}
