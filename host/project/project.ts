import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { readIfPresent, readUntrusted, resolveRealPath, writeAtomic } from '../fs/files.ts'
import { sha256 } from '../hash.ts'
import { findPosition, parseJsonc } from '../json.ts'
import { Project } from './schema.ts'

/** The file at the top of a repository that lists what its setup and its checks need. */
export const projectFileName = '.dispatch.json'

/** The project file of a repository, and the hash by which the user confirms it. */
export interface ProjectFile {
  file: string
  text: string
  sha256: string
  project: Project
}

/** Read the project file of the user's checkout; undefined without one. Exit 2 lists every problem with its line. */
export function readProject(repository: string): ProjectFile | undefined {
  const file = path.join(repository, projectFileName)
  const bytes = readUntrusted(file, MAX_PROJECT_FILE_BYTES)
  if (bytes === undefined) {
    if (fs.lstatSync(file, { throwIfNoEntry: false }) === undefined) return undefined
    throw createProjectError(file, ['it is not a regular file'])
  }
  const text = bytes.toString('utf8')
  return { file, text, sha256: sha256(text), project: parseProject(file, text) }
}

/** Parse the text of a project file. Exit 2 lists every problem with its line. */
export function parseProject(file: string, text: string): Project {
  const { value, problems } = parseJsonc(text)
  if (problems.length > 0)
    throw createProjectError(
      file,
      problems.map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`),
    )
  const parsed = Project.safeParse(value)
  if (parsed.success) return parsed.data
  throw createProjectError(
    file,
    parsed.error.issues.map(issue => {
      const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
      const keyPath = [
        ...issue.path.map(step => (typeof step === 'symbol' ? String(step) : step)),
        ...(unknownKey ? [unknownKey] : []),
      ]
      const known = issue.path.length === 0 ? `; use ${projectKeys.join(', ')}` : ''
      const message = unknownKey ? `unknown key${known}` : issue.message
      return `line ${findPosition(text, keyPath).line}: ${keyPath.join('.') || 'the whole file'}: ${message}`
    }),
  )
}

/** Has the user confirmed exactly this content, in this work tree or as the last in its repository? */
export function isProjectConfirmed(home: string, worktree: string, contentSha256: string): boolean {
  return [worktree, resolveRepository(worktree)].some(
    place => readIfPresent(resolveConfirmation(home, place))?.split('\n').includes(contentSha256) ?? false,
  )
}

/** Record that the user confirmed this content, and no earlier one: going back is a change too. */
export function confirmProject(home: string, worktree: string, contentSha256: string): void {
  for (const place of [worktree, resolveRepository(worktree)]) {
    const file = resolveConfirmation(home, place)
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    writeAtomic(file, `${place}\n${contentSha256}\n`)
  }
}

// --- internal ---

const MAX_PROJECT_FILE_BYTES = 256 * 1024
const projectKeys = Object.keys(Project.shape).filter(name => name !== '$schema')

/** The git folder that all work trees of a repository share. */
function resolveRepository(worktree: string): string {
  const file = path.join(worktree, '.git')
  if (!fs.lstatSync(file, { throwIfNoEntry: false })?.isFile()) return resolveRealPath(file)
  const gitFolder = path.resolve(worktree, /^gitdir: (.*)$/m.exec(readIfPresent(file) ?? '')?.[1] ?? file)
  const shared = readIfPresent(path.join(gitFolder, 'commondir'))?.trim() ?? ''
  return resolveRealPath(path.resolve(gitFolder, shared))
}

function resolveConfirmation(home: string, place: string): string {
  return path.join(home, 'confirmed', sha256(place).slice(0, 32))
}

function createProjectError(file: string, problems: string[]): DispatchError {
  return new DispatchError(`${file} is invalid:\n  ${problems.join('\n  ')}`, {
    exitCode: exitCodes.usage,
    remedy: 'Fix it, or move it away and run `dispatch prepare` to get a new proposal.',
  })
}
