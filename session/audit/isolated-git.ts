import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { makePrivateFolder } from '#host/fs'
import { git, tryGit } from '#host/git'
import type { SessionPaths } from '../paths.ts'
import type { SessionRepository } from '../repository/bare-git.ts'
import { defaultIgnores } from '../repository/repository.ts'
import { isFolder, MAX_BYTES, readCapped } from './session-files.ts'

/**
 * A bare repository of our own that sees the objects of a session and nothing else of it: none of the configuration, hooks,
 * filters, references or alternates that somebody may have laid out there is ever read by git.
 */
export interface IsolatedRepository extends SessionRepository {
  /** For what git must write down. */
  tempFolder: string
}

/** How long git may take for one look, in milliseconds, and how many files of a folder are looked at. */
const GIT_TIMEOUT_MS = 120_000
const MAX_SCANNED_FILES = 200_000

/** Open one, or say why git is better not let near these files. */
export async function openIsolatedRepository({
  bareRepository,
  outputs,
}: SessionPaths): Promise<IsolatedRepository | string> {
  const strange = listSpecialFiles(bareRepository)[0]
  if (strange !== undefined) return `holds something that git must not touch: ${strange}`
  if (fs.existsSync(path.join(bareRepository, 'objects/info/alternates')))
    return 'borrows its objects from elsewhere (alternates)'
  const tempFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-audit-'))
  const own = path.join(tempFolder, 'repository.git')
  await git(['init', '--quiet', '--bare', own])
  for (const folder of ['info', 'objects/info']) makePrivateFolder(path.join(own, folder))
  fs.symlinkSync(path.join(bareRepository, 'objects'), path.join(tempFolder, 'objects'))
  fs.writeFileSync(path.join(own, 'objects/info/alternates'), `${path.join(tempFolder, 'objects')}\n`)
  for (const name of ['info/exclude', 'shallow']) {
    const { bytes } = readCapped(path.join(bareRepository, name), MAX_BYTES.record)
    if (bytes) fs.writeFileSync(path.join(own, name), bytes)
  }
  return { bareRepository: own, outputs, tempFolder, usesAlternates: true, timeoutMs: GIT_TIMEOUT_MS }
}

export function closeIsolatedRepository({ tempFolder }: IsolatedRepository): void {
  fs.rmSync(tempFolder, { recursive: true, force: true })
}

/** The tree of a commit, where the session still holds it. */
export async function findTree({ bareRepository }: IsolatedRepository, commit: string): Promise<string | undefined> {
  const words = ['--git-dir', bareRepository, 'rev-parse', '--verify', '--quiet', `${commit}^{tree}`]
  const ran = await tryGit(words, { timeoutMs: GIT_TIMEOUT_MS })
  return ran.exitCode === 0 ? ran.stdout.trim() : undefined
}

export async function hasObject({ bareRepository }: IsolatedRepository, object: string): Promise<boolean> {
  return (
    (await tryGit(['--git-dir', bareRepository, 'cat-file', '-e', object], { timeoutMs: GIT_TIMEOUT_MS })).exitCode ===
    0
  )
}

/** What is wrong with the objects themselves. How well somebody's old commits are formed is no matter. */
export async function listBrokenObjects({ bareRepository }: IsolatedRepository, commits: string[]): Promise<string[]> {
  const words = ['--git-dir', bareRepository, 'fsck', '--full', '--no-dangling', '--no-progress', ...commits]
  const ran = await tryGit(words, { timeoutMs: GIT_TIMEOUT_MS })
  if (ran.timedOut) return []
  const lines = `${ran.stdout}\n${ran.stderr}`.split('\n').map(line => line.trim())
  return lines.filter(line => line !== '' && !/^(notice|warning|error in|dangling|unreachable|Checking)\b/.test(line))
}

/** What is staged in a copy of somebody's index that the commit does not have: `A`, `M` or `D`, the object and the path. */
export async function listStagedChanges(
  { bareRepository, tempFolder }: IsolatedRepository,
  index: Buffer,
  commit: string,
) {
  const copy = path.join(tempFolder, 'index')
  fs.writeFileSync(copy, index)
  const words = [
    '--git-dir',
    bareRepository,
    'diff-index',
    '--cached',
    '--raw',
    '--no-renames',
    '--no-abbrev',
    '-z',
    commit,
  ]
  const listed = await git(words, { env: { GIT_INDEX_FILE: copy }, timeoutMs: GIT_TIMEOUT_MS })
  const fields = listed.split('\0')
  const found: { kind: string; object: string; path: string }[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, , , object = '', kind = ''] = fields[at]?.split(' ') ?? []
    found.push({ kind, object, path: fields[at + 1] ?? '' })
  }
  return found
}

/** Lines in the list of ignored files that hide more than a session hides: what builds leave, and named files of the project. */
export function listExtraIgnores({ bareRepository }: SessionPaths): string[] {
  const { bytes } = readCapped(path.join(bareRepository, 'info/exclude'), MAX_BYTES.record)
  return (bytes?.toString('utf8') ?? '')
    .split('\n')
    .filter(line => !defaultIgnores.includes(line) && !line.startsWith('/'))
}

/** Pipes, devices, sockets and links below a folder, at most so many; `only` names those that matter. */
export function listSpecialFiles(folder: string, isRelevant = (_: string) => true, maxFound = 5): string[] {
  if (!isFolder(folder)) return ['its folder is gone, or is none']
  const found: string[] = []
  const open = [folder]
  for (let seen = 0; open.length > 0 && found.length < maxFound && seen < MAX_SCANNED_FILES; ) {
    const here = open.pop() ?? ''
    for (const entry of listEntries(here)) {
      seen++
      const file = path.join(here, entry.name)
      if (entry.isDirectory()) open.push(file)
      else if (!entry.isFile() && isRelevant(file)) found.push(path.relative(folder, file))
    }
    if (seen >= MAX_SCANNED_FILES) found.push(`more than ${MAX_SCANNED_FILES} files`)
  }
  return found
}

function listEntries(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch {
    return [] // Too deep, or not ours to see; git will say so where it matters.
  }
}
