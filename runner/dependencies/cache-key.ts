import os from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { findProgram } from '#host/exec.ts'
import { readBytesIfPresent } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { matchesEntry, type Project } from '#host/project'
import { identifyToolchains } from '#host/toolchains'
import type { SessionPaths } from '#session'
import { type Commit, listCommitFiles } from '#session/repository'
import type { RunnerContext } from '../context.ts'

/**
 * The key of a commit's dependencies: 32 hex digits. The same commands with the same lock files, programs and machine make the same
 * dependencies, so they have the same key.
 */
export async function computeDependencyKey(
  { session, status }: KeyContext,
  project: Project,
  commit: Commit,
): Promise<string> {
  const { lockfiles, areOfBase } = await compareLockfiles({ session, status }, project, commit)
  const ignoredFiles = project.files.map(file => {
    const bytes = readBytesIfPresent(path.join(session.paths.ignoredFiles, file))
    return [file, bytes ? sha256(bytes) : '']
  })
  const programs = project.setup
    .flatMap(command => command.match(/[\w./+-]+/g) ?? [])
    .concat('node', 'python3')
    .map(word => findProgram(word, session.manifest.toolchains.variables['PATH']))
  const facts = {
    setup: project.setup,
    // What they may keep, reach and read decides what is there afterwards. Values of variables are secrets, so only names are here.
    settings: [project.makes, project.hosts, project.environment, project.credentials],
    lockfiles,
    ignoredFiles,
    programs: [...new Set(programs)],
    machine: [process.platform, process.arch],
    toolchains: identifyToolchains(session.manifest.toolchains, os.homedir(), project.setup),
    // Without a lock file nothing shows whether the commands would make something else, so each tree has its own.
    tree: lockfiles.length === 0 ? commit.tree : '',
    // What a worker's lock files install is for this session only: other sessions may trust the same files later.
    sessionId: areOfBase ? '' : session.id,
  }
  return sha256(JSON.stringify(facts)).slice(0, 32)
}

/**
 * The commit in whose tree the dependencies of another are installed. With the lock files of the base, the installation is for every
 * session, so the commands run in the base: in a worker's tree they could run what the worker wrote.
 */
export async function chooseInstalledCommit(context: KeyContext, project: Project, commit: Commit): Promise<Commit> {
  const { lockfiles, areOfBase } = await compareLockfiles(context, project, commit)
  return context.status.base && areOfBase && lockfiles.length > 0 ? context.status.base : commit
}

// --- internal ---

type KeyContext = Pick<RunnerContext, 'session' | 'status'>

/** The lock files of a commit, and whether the base has the same ones. Without a base they count as its own. */
async function compareLockfiles({ session, status }: KeyContext, project: Project, commit: Commit) {
  const lockfiles = await listLockfiles(session.paths, project, commit)
  const baseLockfiles = status.base ? await listLockfiles(session.paths, project, status.base) : lockfiles
  return { lockfiles, areOfBase: isDeepStrictEqual(lockfiles, baseLockfiles) }
}

/** The lock files of a commit, each with its blob. */
async function listLockfiles(paths: SessionPaths, { lockfiles }: Project, { commit }: Commit): Promise<string[][]> {
  const files = await listCommitFiles(paths, commit)
  return files
    .filter(file => lockfiles.some(entry => matchesEntry(entry, file.path)))
    .map(file => [file.path, file.blob])
}
