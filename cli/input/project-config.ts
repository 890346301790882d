import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { filterExistingPaths, filterTrackedPaths, type UserRepository } from '#host/git'
import {
  confirmProject,
  isProjectConfirmed,
  type Project,
  type ProjectFile,
  projectFileName,
  proposeProject,
  readProject,
} from '#host/project'
import { sanitize } from '#host/text.ts'
import type { SessionManifest } from '#session'
import { paint, print } from '../output/terminal.ts'
import { confirmAction, isAtTerminal } from './confirm.ts'

/**
 * What the work on this repository needs, as far as its user has said yes to it: read from their own checkout, shown and
 * asked once for each change of its content. Null where nothing is said. Without a terminal nothing is asked: exit 5.
 */
export async function resolveProject(
  config: Config,
  repository: UserRepository | null,
  { sandbox, say }: { sandbox: SessionManifest['sandbox']; say: (line: string) => void },
): Promise<Project | null> {
  if (repository === null) return null
  const found = readProject(repository.path)
  if (found === undefined) {
    const proposal = await proposeProject(repository)
    if (proposal)
      say(
        `no ${projectFileName} says how its dependencies come: checks see none. \`dispatch prepare\` proposes ${proposal.reasons.length === 1 ? 'a line' : `${proposal.reasons.length} lines`}`,
      )
    return null
  }
  await checkProjectFiles(found, repository)
  for (const line of await listProjectWarnings(found, repository)) say(line)
  if (isProjectConfirmed(config.home, repository.path, found.sha256)) return found.project
  if (!isAtTerminal())
    throw new DispatchError(`${found.file} is new or has changed, and you have not said yes to it`, {
      exitCode: exitCodes.conflict,
      remedy: 'It names commands to run. Look at it and confirm it: dispatch prepare.',
    })
  printProjectFile(found, sandbox)
  if (!(await confirmAction('Yes to exactly this file?', 'prepare')))
    throw new DispatchError('not confirmed: nothing was started', {
      exitCode: exitCodes.conflict,
      remedy: `Change ${found.file}, or begin with an empty repository: --no-repo.`,
    })
  confirmProject(config.home, repository.path, found.sha256)
  return found.project
}

/** The file, what it makes happen, and what keeps its commands in. */
export function printProjectFile(
  { file, project }: Pick<ProjectFile, 'file' | 'project'>,
  sandbox: SessionManifest['sandbox'],
): void {
  const list = (name: string, values: string[]) => {
    for (const [at, value] of values.entries()) print(`  ${(at === 0 ? name : '').padEnd(9)} ${sanitize(value)}`)
  }
  print(paint('bold', file))
  list('runs', project.setup)
  list(
    'when',
    project.lockfiles.length > 0
      ? [`one of these changes: ${project.lockfiles.join(', ')}`]
      : project.setup.length > 0
        ? ['any file changes (no lockfiles are named)']
        : [],
  )
  list(
    'reaches',
    project.setup.length > 0 ? [project.hosts.length > 0 ? project.hosts.join(', ') : 'no host is named'] : [],
  )
  list('is told', project.environment)
  list('shares', project.makes)
  list(
    'hands on',
    project.files.map(name => `${name} (git ignores it; agents and checks will see it)`),
  )
  if (project.setup.length > 0) print(paint('dim', `  ${describeLimits(sandbox)}`))
}

function describeLimits({ kind, reason }: SessionManifest['sandbox']): string {
  return kind === null
    ? `No sandbox (${reason}): these commands run with your rights and can reach any host.`
    : `These commands run in a sandbox (${kind}), which lets them reach no other host.`
}

/** Refuse (exit 2) a file to hand on that is not there, lies behind a link, or comes with the commit anyway. */
export async function checkProjectFiles({ project }: ProjectFile, { path: top }: UserRepository): Promise<void> {
  for (const name of project.files) {
    const from = path.join(top, name)
    const link = listParentFolders(name).find(folder =>
      fs.lstatSync(path.join(top, folder), MISSING_OK)?.isSymbolicLink(),
    )
    if (link !== undefined)
      throw createFileError(name, `${link} is a link: what lies behind it is not of this repository`)
    if (!fs.lstatSync(from, MISSING_OK)?.isFile())
      throw createFileError(name, `${from} is not a file`, 'Make it, or take it out of "files".')
  }
  const [tracked] = await filterTrackedPaths(top, project.files)
  if (tracked !== undefined) throw createFileError(tracked, 'git tracks it, so it comes with the commit')
}

/** What is odd about the file and stands in nobody's way, in words. */
export async function listProjectWarnings({ project }: ProjectFile, repository: UserRepository): Promise<string[]> {
  const there = await filterExistingPaths(repository, project.lockfiles)
  const missing = project.lockfiles.filter(name => !there.includes(name))
  if (missing.length === 0) return []
  const then =
    there.length > 0 ? 'no change of theirs sets up anew' : 'none is left, so every commit is set up by itself'
  return [
    `${projectFileName} names lockfiles that the commit does not have: ${missing.map(sanitize).join(', ')}; ${then}`,
  ]
}

const MISSING_OK = { throwIfNoEntry: false } as const

/** `a`, `a/b` of `a/b/c`. */
function listParentFolders(name: string): string[] {
  const steps = name.split('/').slice(0, -1)
  return steps.map((_, at) => steps.slice(0, at + 1).join('/'))
}

function createFileError(name: string, why: string, remedy = 'Take it out of "files".'): DispatchError {
  return new DispatchError(`${projectFileName} hands on ${sanitize(name)}, and ${sanitize(why)}`, {
    exitCode: exitCodes.usage,
    remedy,
  })
}

/** Write a proposed file into the user's checkout; they have just said yes to it. */
export function writeProjectFile(repository: UserRepository, proposed: Partial<Project>): ProjectFile {
  writeAtomic(path.join(repository.path, projectFileName), `${JSON.stringify(proposed, null, 2)}\n`, 0o644)
  const written = readProject(repository.path)
  if (!written) throw new Error('the file just written is not there')
  return written
}
