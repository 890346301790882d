import fs from 'node:fs'
import path from 'node:path'
import { listUnsetVariables } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { filterTrackedPaths, type UserRepository } from '#host/git'
import {
  findCredentialFiles,
  listComposeFiles,
  listMissingLockfiles,
  type ProjectFile,
  projectFileName,
  resolveHomeFile,
} from '#host/project'
import { formatNames, sanitize } from '#host/text.ts'

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

/** Project files on the way to the folder where the person was. Only the one at the top is read. Empty without any. */
export function listUnreadProjectFiles({ path: top, subfolder = '' }: UserRepository): string[] {
  return listParentFolders(`${subfolder}/${projectFileName}`)
    .map(folder => `${folder}/${projectFileName}`)
    .filter(name => subfolder !== '' && fs.existsSync(path.join(top, name)))
    .map(name => `${sanitize(name)} is not read: only ${projectFileName} at the top of the repository is`)
}

/** What is odd about a project file but does not stop a session. */
export async function listProjectWarnings({ project }: ProjectFile, repository: UserRepository): Promise<string[]> {
  const missing = await listMissingLockfiles(repository, project.lockfiles)
  const unset = listUnsetVariables([...project.environment, ...project.toolchains])
  const absent = project.credentials.filter(name => !fs.existsSync(resolveHomeFile(name)))
  return [
    ...describeMissingLockfiles(project.lockfiles, missing),
    ...unset.map(name => `${name}, which ${projectFileName} names, has no value in this shell`),
    ...absent.map(name => `${sanitize(name)}, which ${projectFileName} names, does not exist`),
  ]
}

/** Files of the user's home that lead the setup's tools to a registry, and that the setup may not read. */
export function listUnusedCredentials({ project }: ProjectFile): string[] {
  const unused = findCredentialFiles(project.setup).filter(({ name }) => !project.credentials.includes(name))
  return unused.map(({ name, hosts }) => {
    const purpose = hosts.length > 0 ? ` leads to ${formatNames(hosts)}` : ' contains logins'
    return `${name}${purpose}; to let the setup read it (not the agents), add it under "credentials"`
  })
}

/** What a user of Docker Compose must know when the project file names no services; empty without a compose file. */
export async function listComposeWarnings(repository: UserRepository): Promise<string[]> {
  const [file] = await listComposeFiles(repository)
  if (file === undefined) return []
  return [
    `${sanitize(file)}: checks and workers cannot use Docker. If tests need one of its services, name the command that starts it under "services" in ${projectFileName}, such as \`exec redis-server --port $REDIS_PORT\``,
  ]
}

// --- internal ---

function describeMissingLockfiles(lockfiles: string[], missing: string[]): string[] {
  if (missing.length === 0) return []
  const consequence =
    missing.length < lockfiles.length
      ? 'changes of these files do not run the setup again'
      : 'no lockfile is left, so the setup runs for every commit'
  const names = missing.map(sanitize).join(', ')
  return [`${projectFileName} lists lockfiles that the commit does not have: ${names}; ${consequence}`]
}

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
