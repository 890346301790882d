import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '../error.ts'
import { readIfPresent, readUntrusted, writeAtomic } from '../fs/files.ts'
import { findPosition, parseJsonc } from '../json.ts'
import { Project } from './schema.ts'

/** The name of the file at the top of a repository that says what its work needs. */
export const projectFileName = '.dispatch.json'

/** The project file of a repository, and the hash by which it is confirmed. */
export interface ProjectFile {
  file: string
  text: string
  sha256: string
  project: Project
}

/** Read the file from the user's own checkout; undefined when there is none. Every problem with its line (exit 2). */
export function readProject(repository: string): ProjectFile | undefined {
  const file = path.join(repository, projectFileName)
  const bytes = readUntrusted(file, MAX_PROJECT_FILE_BYTES)
  if (bytes === undefined) {
    if (fs.lstatSync(file, { throwIfNoEntry: false }) === undefined) return undefined
    throw createProjectError(file, ['it is not a plain file'])
  }
  const text = bytes.toString('utf8')
  return { file, text, sha256: sha256(text), project: parseProject(file, text) }
}

/** The project in the text of a project file. Every problem with its line (exit 2). */
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
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
      const at = [
        ...issue.path.map(step => (typeof step === 'symbol' ? String(step) : step)),
        ...(unknown ? [unknown] : []),
      ]
      const name = at.join('.') || 'the whole'
      return `line ${findPosition(text, at).line}: ${name}: ${unknown ? `is not known; there are ${projectKeys.join(', ')}` : issue.message}`
    }),
  )
}

/** Has the user said yes to exactly this content for this repository? */
export function isProjectConfirmed(home: string, repository: string, sha256: string): boolean {
  return readIfPresent(resolveConfirmation(home, repository))?.split('\n').includes(sha256) ?? false
}

/** Keep the user's yes. What was confirmed before for this repository counts no more: going back is a change too. */
export function confirmProject(home: string, repository: string, sha256: string): void {
  const file = resolveConfirmation(home, repository)
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  writeAtomic(file, `${repository}\n${sha256}\n`)
}

// --- internal ---

const MAX_PROJECT_FILE_BYTES = 256 * 1024
const projectKeys = Object.keys(Project.shape).filter(name => name !== '$schema')

function resolveConfirmation(home: string, repository: string): string {
  return path.join(home, 'confirmed', sha256(repository).slice(0, 32))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function createProjectError(file: string, problems: string[]): DispatchError {
  return new DispatchError(`${file} does not read:\n  ${problems.join('\n  ')}`, {
    exitCode: exitCodes.usage,
    remedy: 'Mend it, or move it away and run `dispatch prepare`: it proposes a new one.',
  })
}
