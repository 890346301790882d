import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { filterExistingPaths, filterTrackedPaths, type UserRepository } from '#host/git'
import { type ProjectFile, projectFileName } from '#host/project'
import { sanitize } from '#host/text.ts'

/** Refuse (exit 2) a file under "files" that does not exist, is behind a link, or comes with the commit anyway. */
export async function checkProjectFiles({ project }: ProjectFile, { path: top }: UserRepository): Promise<void> {
  for (const name of project.files) {
    const file = path.join(top, name)
    const link = listParentFolders(name).find(folder =>
      fs.lstatSync(path.join(top, folder), MISSING_OK)?.isSymbolicLink(),
    )
    if (link !== undefined) throw createFileError(name, `${link} is a link, so the file is not part of this repository`)
    if (!fs.lstatSync(file, MISSING_OK)?.isFile())
      throw createFileError(name, `${file} is not a file`, 'Create it, or remove it from "files".')
  }
  const [tracked] = await filterTrackedPaths(top, project.files)
  if (tracked !== undefined) throw createFileError(tracked, 'git tracks it, so it comes with the commit')
}

/** What is odd about a project file but does not stop a session. */
export async function listProjectWarnings({ project }: ProjectFile, repository: UserRepository): Promise<string[]> {
  const existing = await filterExistingPaths(repository, project.lockfiles)
  const missing = project.lockfiles.filter(name => !existing.includes(name))
  if (missing.length === 0) return []
  const consequence =
    existing.length > 0
      ? 'changes of these files do not run the setup again'
      : 'no lockfile is left, so the setup runs for every commit'
  const names = missing.map(sanitize).join(', ')
  return [`${projectFileName} lists lockfiles that the commit does not have: ${names}; ${consequence}`]
}

// --- internal ---

const MISSING_OK = { throwIfNoEntry: false } as const

/** `a` and `a/b` for `a/b/c`. */
function listParentFolders(name: string): string[] {
  const steps = name.split('/').slice(0, -1)
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'))
}

function createFileError(name: string, why: string, remedy = 'Remove it from "files".'): DispatchError {
  return new DispatchError(`${projectFileName} lists ${sanitize(name)}, but ${sanitize(why)}`, {
    exitCode: exitCodes.usage,
    remedy,
  })
}
