import fs from 'node:fs'
import path from 'node:path'
import { findForeignConfig } from '../repository/bare-git.ts'
import { listDifferences } from '../repository/diff.ts'
import type { Audit, IndexedEvent } from './audit.ts'
import {
  hasObject,
  type IsolatedRepository,
  listBrokenObjects,
  listExtraIgnores,
  listSpecialFiles,
  listStagedChanges,
} from './isolated-git.ts'
import { GONE, isFolder, MAX_BYTES, readCapped } from './read-capped.ts'

/** Check that `outputs/` has the judged files, and that the bare repository is intact. */
export async function auditWorktree(audit: Audit): Promise<void> {
  const { repository, repositoryError, paths } = audit
  if (!repository) {
    if (audit.status.base) audit.addDamage(paths.bareRepository, repositoryError, 'The judged work was not compared.')
    return
  }
  await auditRepository(audit, repository)
  const verdict = findFinalVerdict(audit)
  if (verdict) await auditOutputs(audit, repository, verdict)
  else audit.addNote(paths.outputs, 'there is no final verdict to compare it with')
}

/** Check that git's index and HEAD in `outputs/` are at the judged commit. */
export async function auditGitIndex(audit: Audit): Promise<void> {
  const verdict = findFinalVerdict(audit)
  const gitFolder = path.join(audit.paths.outputs, '.git')
  if (!verdict || !audit.repository) return
  if (!isFolder(gitFolder))
    return audit.addDamage(gitFolder, 'is gone, or is not a folder', 'outputs/ is not a repository any more.')
  const head = readHead(gitFolder)
  if (head !== verdict.commit)
    audit.addDamage(
      path.join(gitFolder, 'HEAD'),
      `is at ${head?.slice(0, 10) ?? 'nothing readable'}, but ${verdict.commit.slice(0, 10)} was judged`,
      'The branch there is not the judged work.',
    )
  await auditStagedChanges(audit, audit.repository, path.join(gitFolder, 'index'), verdict)
}

// --- internal ---

const MAX_LISTED_FILES = 10
const MAX_ERROR_CHARS = 300
const MAX_REFERENCE_BYTES = 4096
const NOT_JUDGED = 'The verdict does not apply to outputs/. The judged version is in evidence/repository.git.'
const NOT_JUDGED_IN_INDEX = 'A commit made there is not the judged work.'

/** Find the final verdict on what is in `outputs/`; undefined while work continues. */
function findFinalVerdict(audit: Audit): IndexedEvent<'verdict.given'> | undefined {
  const verdict = audit.selectEvents('verdict.given').at(-1)
  const isWorkQueued = audit.selectEvents('worker.queued').some(({ index }) => index > (verdict?.index ?? 0))
  return verdict?.isFinal && !isWorkQueued && audit.status.verdict ? verdict : undefined
}

async function auditRepository(audit: Audit, repository: IsolatedRepository): Promise<void> {
  const { bareRepository } = audit.paths
  const foreign = findForeignConfig(audit.paths)
  if (foreign !== undefined)
    audit.addDamage(
      bareRepository,
      `is not set up as dispatch made it: ${foreign.slice(0, 80)}`,
      'Git was not run in it.',
    )
  const replacements = path.join(bareRepository, 'refs/replace')
  if (fs.existsSync(replacements))
    audit.addDamage(replacements, 'replaces objects with others', 'Dispatch ignores it, but git does not.')
  const excludeFile = path.join(bareRepository, 'info/exclude')
  for (const line of listExtraIgnores(excludeFile))
    audit.addDamage(excludeFile, `hides \`${line.slice(0, 80)}\``, 'New files in outputs/ may have been missed.')
  const commitsByBranch = [...listKnownCommits(audit)].filter(([, commit]) => isHash(commit))
  const broken = await listBrokenObjects(repository, [...new Set(commitsByBranch.map(([, commit]) => commit))])
  for (const line of broken.slice(0, MAX_LISTED_FILES))
    audit.addDamage(bareRepository, line.slice(0, 200), 'The judged work is damaged.')
  for (const [branch, commit] of commitsByBranch) {
    const actual = readReference(bareRepository, `refs/heads/${branch}`)
    if (actual === commit || (branch === 'judged' && audit.status.phase === 'judging')) continue
    audit.addDamage(
      bareRepository,
      `its branch ${branch} is at ${actual?.slice(0, 10) ?? 'nothing'}, but at ${commit.slice(0, 10)} in the log`,
      'A fetch of it does not get what the log says.',
    )
  }
}

/** By branch of the bare repository, the commit that it has in the log. */
function listKnownCommits(audit: Audit): Map<string, string> {
  const commits = new Map<string, string>()
  if (audit.status.base) commits.set('base', audit.status.base.commit)
  for (const { round, commit } of audit.selectEvents('verdict.given')) {
    if (audit.selectEvents('judging.started').some(started => started.round === round))
      commits.set(`round-${round}`, commit)
    commits.set('judged', commit)
  }
  return commits
}

async function auditOutputs(
  audit: Audit,
  repository: IsolatedRepository,
  { commit }: IndexedEvent<'verdict.given'>,
): Promise<void> {
  const { outputs } = audit.paths
  const [special] = listSpecialFiles(outputs, isReadByGit)
  if (special !== undefined)
    return audit.addDamage(
      outputs,
      `has a special file that git must not read: ${special}`,
      'It was not compared with the judged work.',
    )
  const changedFiles = await listDifferences(repository, commit).catch((error: Error) => error)
  if (changedFiles instanceof Error)
    return audit.addDamage(
      outputs,
      `cannot be compared: ${changedFiles.message.slice(0, MAX_ERROR_CHARS)}`,
      'Whether it is the judged work is unknown.',
    )
  for (const file of changedFiles.slice(0, MAX_LISTED_FILES))
    audit.addDamage(path.join(outputs, file), 'differs from the judged version', NOT_JUDGED)
  if (changedFiles.length > MAX_LISTED_FILES)
    audit.addDamage(outputs, `and ${changedFiles.length - MAX_LISTED_FILES} more files`, NOT_JUDGED)
}

/** Git reads these files by itself, so a pipe in place of one would block it. */
function isReadByGit(file: string): boolean {
  const isLink = fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  return /\/\.git(\/|ignore$|attributes$|$)/.test(file) && !isLink
}

async function auditStagedChanges(
  audit: Audit,
  repository: IsolatedRepository,
  indexFile: string,
  { commit }: IndexedEvent<'verdict.given'>,
): Promise<void> {
  const { bytes, reason } = readCapped(indexFile, MAX_BYTES.index)
  if (reason === GONE) return
  if (bytes === undefined) return audit.addDamage(indexFile, reason, NOT_JUDGED_IN_INDEX)
  const staged = await listStagedChanges(repository, bytes, commit).catch((error: Error) => error)
  if (staged instanceof Error)
    return audit.addDamage(
      indexFile,
      `cannot be read: ${staged.message.slice(0, MAX_ERROR_CHARS)}`,
      NOT_JUDGED_IN_INDEX,
    )
  for (const { status, object, path: file } of staged.slice(0, MAX_LISTED_FILES)) {
    const isEarlierVersion = status === 'D' || (status === 'M' && (await hasObject(repository, object)))
    if (isEarlierVersion) audit.addNote(indexFile, `an earlier version of ${file} is staged`)
    else audit.addDamage(indexFile, `a version of ${file} is staged that was not judged`, NOT_JUDGED_IN_INDEX)
  }
}

/** Read HEAD without git, which would use the configuration beside it. */
function readHead(gitFolder: string): string | undefined {
  const text = readText(path.join(gitFolder, 'HEAD'), MAX_REFERENCE_BYTES) ?? ''
  const [, reference] = /^ref: (refs\/[\w./-]+)$/.exec(text) ?? []
  if (reference === undefined) return isHash(text) ? text : undefined
  return reference.includes('..') ? undefined : readReference(gitFolder, reference)
}

function readReference(gitFolder: string, reference: string): string | undefined {
  const loose = readText(path.join(gitFolder, reference), MAX_REFERENCE_BYTES)
  if (loose !== undefined) return isHash(loose) ? loose : undefined
  const packed = readText(path.join(gitFolder, 'packed-refs'), MAX_BYTES.output) ?? ''
  return packed
    .split('\n')
    .find(line => line.endsWith(` ${reference}`))
    ?.split(' ')[0]
}

function readText(file: string, maxBytes: number): string | undefined {
  return readCapped(file, maxBytes).bytes?.toString('utf8').trim()
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text)
}
