import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder, readJson, toStorageError, writeAtomic } from '#host/fs'
import { landingAuthors, landingMethods } from '#session/landing'

/** A repository of the user that dispatch knows by a name. */
export const RegisteredProject = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'takes small letters, digits and -, such as web-shop'),
  /** A short second name, such as `api`. */
  prefix: z.string().regex(/^[a-z][a-z0-9]{0,7}$/, 'takes up to eight small letters and digits, such as api'),
  /** The top of its checkout, without links. */
  path: z.string(),
  /** The remote to which its work goes; null without one. */
  remote: z.string().nullable(),
  /** The branch onto which its work goes; null if that is not known. */
  targetBranch: z.string().nullable(),
  /** How many of its sessions may run at once; null: MAX_SESSIONS_PROJECT. */
  maxSessions: z.int().min(1).max(99).nullable(),
  /** Its work lands by itself since then, in this way; null: when a person says so. */
  landing: z
    .object({
      method: z.enum(landingMethods, 'takes squash, rebase, merge or off'),
      author: z.enum(landingAuthors, 'takes me, worker or both'),
      since: z.iso.datetime(),
    })
    .nullable()
    .default(null),
  /** Commands that must be green on what lands, besides those in the project file of the branch. */
  gates: z.array(z.string().trim().min(1, 'takes a command').max(4000)).max(20).default([]),
  /** The issues on GitHub that start by themselves; null for none. */
  issues: z
    .string()
    .regex(/^(label|milestone):\S(.{0,198}\S)?$/, 'takes label:NAME, milestone:NAME or off')
    .nullable()
    .default(null),
  /** What comes back to its pull requests is settled by itself; null: when a person says so. */
  pullRequests: z.enum(['follow'], 'takes follow or off').nullable().default(null),
  addedAt: z.iso.datetime(),
})

export type RegisteredProject = z.infer<typeof RegisteredProject>

/** The folder with one file for each project. */
export function getProjectsFolder(home: string): string {
  return path.join(home, 'projects')
}

/** All projects, by name. Exit 10 for a file that cannot be read. */
export function listProjects(home: string): RegisteredProject[] {
  return listNames(getProjectsFolder(home))
    .filter(name => name.endsWith('.json') && !name.startsWith('.'))
    .map(name => readProjectFile(path.join(getProjectsFolder(home), name)))
    .filter(project => project !== undefined)
}

/** The project with this name or prefix. Exit 4 if there is no such project. */
export function findProject(home: string, name: string): RegisteredProject {
  const projects = listProjects(home)
  const found = projects.find(project => project.name === name) ?? projects.find(project => project.prefix === name)
  if (found !== undefined) return found
  throw new DispatchError(`there is no project "${name}"`, {
    exitCode: exitCodes.notFound,
    remedy: 'To see them: dispatch projects ls. To add one: dispatch projects add DIR',
  })
}

/** Add a project. Exit 5 if another one has its name, its prefix or its path, even if that is added at the same moment. */
export function addProject(home: string, project: RegisteredProject): void {
  refuseTaken(home, project)
  makePrivateFolder(getProjectsFolder(home))
  const file = getProjectFile(home, project.name)
  const sibling = path.join(getProjectsFolder(home), `.new-${process.pid}`)
  writeAtomic(sibling, `${JSON.stringify(project, null, 2)}\n`)
  try {
    fs.linkSync(sibling, file) // It never replaces a file.
  } catch (error) {
    if (isErrno(error, 'EEXIST')) refuseTaken(home, project)
    throw toStorageError(file, error)
  } finally {
    fs.rmSync(sibling, { force: true })
  }
  try {
    refuseTaken(home, project)
  } catch (error) {
    fs.rmSync(file, { force: true })
    throw error
  }
}

/** Write what was changed of a project; its name and its path stay. */
export function updateProject(home: string, project: RegisteredProject): void {
  writeAtomic(getProjectFile(home, project.name), `${JSON.stringify(project, null, 2)}\n`)
}

/** Forget a project. Its files, and what came of it, stay. */
export function removeProject(home: string, { name }: RegisteredProject): void {
  fs.rmSync(getProjectFile(home, name), { force: true })
}

/** A name and a prefix for a folder that no project has yet. Pure. */
export function proposeNames(
  folder: string,
  projects: Pick<RegisteredProject, 'name' | 'prefix'>[],
): Pick<RegisteredProject, 'name' | 'prefix'> {
  const words = path
    .basename(folder)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(word => word !== '')
  const plain = words.join('-').replace(/^[^a-z]+/, '')
  const initials = words.length > 1 ? words.map(word => word[0]).join('') : (words[0] ?? '')
  const prefix = initials.replace(/^[^a-z]+/, '').slice(0, MAX_PREFIX_CHARS)
  const takenPrefixes = [...RESERVED_PREFIXES, ...projects.map(project => project.prefix)]
  return {
    name: makeFree(
      plain.slice(0, 36).replace(/-+$/, '') || 'project',
      '-',
      projects.map(({ name }) => name),
    ), // Room for -99.
    prefix: makeFree(prefix || 'p', '', takenPrefixes),
  }
}

// --- internal ---

/** Of a proposed one. */
const MAX_PREFIX_CHARS = 4

/** `q-17` is an item of the queue. */
const RESERVED_PREFIXES = ['q']

function getProjectFile(home: string, name: string): string {
  return path.join(getProjectsFolder(home), `${name}.json`)
}

/** Undefined if it was removed meanwhile. */
function readProjectFile(file: string): RegisteredProject | undefined {
  const content = readJson(file)
  if (content === null) return undefined
  const project = RegisteredProject.safeParse(content).data
  if (project !== undefined && `${project.name}.json` === path.basename(file)) return project
  throw new DispatchError(`${file} is damaged`, {
    exitCode: exitCodes.storage,
    remedy: 'Move it away, then add the project again: dispatch projects add DIR',
  })
}

function refuseTaken(home: string, { name, prefix, path: folder, addedAt }: RegisteredProject): void {
  const isSame = (other: RegisteredProject) => other.name === name && other.path === folder && other.addedAt === addedAt
  const others = listProjects(home).filter(other => !isSame(other))
  const refuse = (message: string, remedy: string) => {
    throw new DispatchError(message, { exitCode: exitCodes.conflict, remedy })
  }
  const known = others.find(other => other.path === folder)
  if (known) refuse(`${folder} is registered already, as ${known.name}`, `See: dispatch projects show ${known.name}`)
  const namesake = others.find(other => other.name === name)
  if (namesake) refuse(`the name ${name} belongs to ${namesake.path}`, 'Choose another one: --name NAME')
  const other = others.find(each => each.prefix === prefix)
  if (other) refuse(`the prefix ${prefix} belongs to ${other.name}`, 'Choose another one: --prefix WORD')
  if (RESERVED_PREFIXES.includes(prefix))
    refuse(`the prefix ${prefix} is for items of the queue, such as ${prefix}-17`, 'Choose another one: --prefix WORD')
}

function makeFree(wanted: string, separator: string, taken: string[]): string {
  for (let count = 1; ; count++) {
    const word = count === 1 ? wanted : `${wanted}${separator}${count}`
    if (!taken.includes(word)) return word
  }
}
