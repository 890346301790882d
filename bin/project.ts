import fs from 'node:fs'
import path from 'node:path'
import {
  type Config,
  confirm,
  copyTree,
  DispatchError,
  exits,
  isConfirmed,
  makePrivate,
  namedAt,
  type Project,
  type ProjectFile,
  printable,
  projectFile,
  propose,
  type Repository,
  readProject,
  trackedAmong,
  writeAtomic,
} from '../host/index.ts'
import type { Opening } from '../session/index.ts'
import { agreed, atTerminal } from './confirm.ts'
import { paint, print } from './terminal.ts'

/**
 * What the work on this repository needs, as far as its user has said yes to it: read from their own checkout, shown and
 * asked once for each change of its content. Null where nothing is said. Without a terminal nothing is asked: exit 5.
 */
export async function projectFor(
  config: Config,
  repository: Repository | null,
  { sandbox, say }: { sandbox: Opening['sandbox']; say: (line: string) => void },
): Promise<Project | null> {
  if (repository === null) return null
  const found = readProject(repository.path)
  if (found === undefined) {
    const proposal = await propose(repository)
    if (proposal)
      say(
        `no ${projectFile} says how its dependencies come: checks see none. \`dispatch prepare\` proposes ${proposal.because.length === 1 ? 'a line' : `${proposal.because.length} lines`}`,
      )
    return null
  }
  await refuseFiles(found, repository)
  for (const line of await remarksOn(found, repository)) say(line)
  if (isConfirmed(config.home, repository.path, found.sha256)) return found.project
  if (!atTerminal())
    throw new DispatchError(`${found.file} is new or has changed, and you have not said yes to it`, {
      exit: exits.conflict,
      remedy: 'It names commands to run. Look at it and confirm it: dispatch prepare.',
    })
  showProject(found, sandbox)
  if (!(await agreed('Yes to exactly this file?', 'prepare')))
    throw new DispatchError('not confirmed: nothing was started', {
      exit: exits.conflict,
      remedy: `Change ${found.file}, or begin with an empty repository: --no-repo.`,
    })
  confirm(config.home, repository.path, found.sha256)
  return found.project
}

/** The file, what it makes happen, and what keeps its commands in. */
export function showProject(
  { file, project }: Pick<ProjectFile, 'file' | 'project'>,
  sandbox: Opening['sandbox'],
): void {
  const list = (name: string, values: string[]) => {
    for (const [at, value] of values.entries()) print(`  ${(at === 0 ? name : '').padEnd(9)} ${printable(value)}`)
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
  if (project.setup.length > 0) print(paint('dim', `  ${limitsOf(sandbox)}`))
}

function limitsOf({ kind, why }: Opening['sandbox']): string {
  return kind === null
    ? `No sandbox (${why}): these commands run with your rights and can reach any host.`
    : `These commands run in a sandbox (${kind}), which lets them reach no other host.`
}

/** Refuse (exit 2) a file to hand on that is not there, lies behind a link, or comes with the commit anyway. */
export async function refuseFiles({ project }: ProjectFile, { path: top }: Repository): Promise<void> {
  for (const name of project.files) {
    const from = path.join(top, name)
    const link = foldersOf(name).find(folder => fs.lstatSync(path.join(top, folder), absent)?.isSymbolicLink())
    if (link !== undefined) throw notGiven(name, `${link} is a link: what lies behind it is not of this repository`)
    if (!fs.lstatSync(from, absent)?.isFile())
      throw notGiven(name, `${from} is not a file`, 'Make it, or take it out of "files".')
  }
  const [tracked] = await trackedAmong(top, project.files)
  if (tracked !== undefined) throw notGiven(tracked, 'git tracks it, so it comes with the commit')
}

/** What is odd about the file and stands in nobody's way, in words. */
export async function remarksOn({ project }: ProjectFile, repository: Repository): Promise<string[]> {
  const there = await namedAt(repository, project.lockfiles)
  const missing = project.lockfiles.filter(name => !there.includes(name))
  if (missing.length === 0) return []
  const then =
    there.length > 0 ? 'no change of theirs sets up anew' : 'none is left, so every commit is set up by itself'
  return [`${projectFile} names lockfiles that the commit does not have: ${missing.map(printable).join(', ')}; ${then}`]
}

/** Copy the files that git ignores and the project needs, as they are now. */
export async function give(project: Project | null, repository: Repository | null, given: string): Promise<void> {
  if (!project || !repository) return
  makePrivate(given)
  for (const name of project.files) await copyTree(path.join(repository.path, name), path.join(given, name))
}

const absent = { throwIfNoEntry: false } as const

/** `a`, `a/b` of `a/b/c`. */
function foldersOf(name: string): string[] {
  const steps = name.split('/').slice(0, -1)
  return steps.map((_, at) => steps.slice(0, at + 1).join('/'))
}

function notGiven(name: string, why: string, remedy = 'Take it out of "files".'): DispatchError {
  return new DispatchError(`${projectFile} hands on ${printable(name)}, and ${printable(why)}`, {
    exit: exits.usage,
    remedy,
  })
}

/** Write a proposed file into the user's checkout; they have just said yes to it. */
export function writeProject(repository: Repository, proposed: Partial<Project>): ProjectFile {
  writeAtomic(path.join(repository.path, projectFile), `${JSON.stringify(proposed, null, 2)}\n`, 0o644)
  const written = readProject(repository.path)
  if (!written) throw new Error('the file just written is not there')
  return written
}
