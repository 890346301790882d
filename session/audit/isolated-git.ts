import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { makePrivateFolder } from '#host/fs'
import { git, tryGit } from '#host/git'
import { MINUTE_MS } from '#host/time.ts'
import type { SessionPaths } from '../paths.ts'
import type { SessionRepository } from '../repository/bare-git.ts'
import { pairFields } from '../repository/diff.ts'
import { defaultIgnores } from '../repository/repository.ts'
import { isFolder, readCapped } from './read-capped.ts'

/**
 * A new bare repository that reads the objects of a session, and nothing else of it. Git sees none of the
 * configuration, hooks, filters, references or alternates that may have been planted there.
 */
export interface IsolatedRepository extends SessionRepository {
  /** For the files that git must write. */
  tempFolder: string
}

const GIT_TIMEOUT_MS = 2 * MINUTE_MS
const MAX_SCANNED_FILES = 200_000
const MAX_SPECIAL_FILES = 5
const ALTERNATES_FILE = 'objects/info/alternates'

/** Make an isolated repository, or return why git must not read these objects. */
export async function openIsolatedRepository({
  bareRepository,
  outputs,
}: SessionPaths): Promise<IsolatedRepository | string> {
  const [special] = listSpecialFiles(bareRepository)
  if (special !== undefined) return `has a special file that git must not read: ${special}`
  if (fs.existsSync(path.join(bareRepository, ALTERNATES_FILE))) return 'takes objects from elsewhere (alternates)'
  const tempFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-audit-'))
  const isolated = path.join(tempFolder, 'repository.git')
  await git(['init', '--quiet', '--bare', isolated])
  for (const folder of ['info', 'objects/info']) makePrivateFolder(path.join(isolated, folder))
  fs.symlinkSync(path.join(bareRepository, 'objects'), path.join(tempFolder, 'objects'))
  fs.writeFileSync(path.join(isolated, ALTERNATES_FILE), `${path.join(tempFolder, 'objects')}\n`)
  for (const name of ['info/exclude', 'shallow']) {
    const { bytes } = readCapped(path.join(bareRepository, name))
    if (bytes) fs.writeFileSync(path.join(isolated, name), bytes)
  }
  return { bareRepository: isolated, outputs, tempFolder, usesAlternates: true, timeoutMs: GIT_TIMEOUT_MS }
}

/** Find the tree of a commit; undefined if the session does not have the commit any more. */
export async function findTree(repository: IsolatedRepository, commit: string): Promise<string | undefined> {
  const { exitCode, stdout } = await run(repository, ['rev-parse', '--verify', '--quiet', `${commit}^{tree}`])
  return exitCode === 0 ? stdout.trim() : undefined
}

export async function hasObject(repository: IsolatedRepository, object: string): Promise<boolean> {
  return (await run(repository, ['cat-file', '-e', object])).exitCode === 0
}

/** List what git finds wrong with the objects. That a user's old commits are badly formed does not count. */
export async function listBrokenObjects(repository: IsolatedRepository, commits: string[]): Promise<string[]> {
  const args = ['fsck', '--full', '--no-dangling', '--no-progress', ...commits]
  const { timedOut, stdout, stderr } = await run(repository, args)
  if (timedOut) return []
  const lines = `${stdout}\n${stderr}`.split('\n').map(line => line.trim())
  return lines.filter(line => line !== '' && !/^(notice|warning|error in|dangling|unreachable|Checking)\b/.test(line))
}

/** List what is staged and differs from a commit: git's status (`A`, `M` or `D`), the object and the path. */
export async function listStagedChanges(
  { bareRepository, tempFolder }: IsolatedRepository,
  index: Buffer,
  commit: string,
): Promise<{ status: string; object: string; path: string }[]> {
  const copy = path.join(tempFolder, 'index')
  fs.writeFileSync(copy, index)
  const options = ['--cached', '--raw', '--no-renames', '--no-abbrev', '-z']
  const listing = await git(['--git-dir', bareRepository, 'diff-index', ...options, commit], {
    env: { GIT_INDEX_FILE: copy },
    timeoutMs: GIT_TIMEOUT_MS,
  })
  return pairFields(listing.split('\0').filter(Boolean)).map(([meta, file]) => {
    const [, , , object = '', status = ''] = meta.split(' ') // `:100644 100644 <object> <object> M`
    return { status, object, path: file }
  })
}

/** List the ignore patterns that are neither for build products nor for named files of the project. */
export function listExtraIgnores(excludeFile: string): string[] {
  const lines = readCapped(excludeFile).bytes?.toString('utf8').split('\n') ?? []
  return lines.filter(line => !defaultIgnores.includes(line) && !line.startsWith('/'))
}

/** List the first pipes, devices, sockets and links below a folder that are relevant. */
export function listSpecialFiles(folder: string, isRelevant = (_file: string) => true): string[] {
  if (!isFolder(folder)) return ['the folder itself, which is gone or is not a folder']
  const specialFiles: string[] = []
  const pendingFolders = [folder]
  let scanned = 0
  while (pendingFolders.length > 0 && specialFiles.length < MAX_SPECIAL_FILES) {
    const current = pendingFolders.pop() ?? ''
    for (const entry of listEntries(current)) {
      const file = path.join(current, entry.name)
      if (entry.isDirectory()) pendingFolders.push(file)
      else if (!entry.isFile() && isRelevant(file)) specialFiles.push(path.relative(folder, file))
      scanned++
    }
    if (scanned >= MAX_SCANNED_FILES) return [...specialFiles, `more than ${MAX_SCANNED_FILES} files`]
  }
  return specialFiles
}

function run({ bareRepository }: IsolatedRepository, args: string[]): ReturnType<typeof tryGit> {
  return tryGit(['--git-dir', bareRepository, ...args], { timeoutMs: GIT_TIMEOUT_MS })
}

function listEntries(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch {
    return [] // Too deep, or unreadable. Git reports it if it matters.
  }
}
