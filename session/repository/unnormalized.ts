import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { decodeNames, encodeName } from '#host/file-name.ts'
import { readBytesIfPresent } from '#host/fs'
import { git, readAttributes, tryGit } from '#host/git'
import type { SessionPaths } from '../paths.ts'
import type { SessionRepository } from './bare-git.ts'
import { type CommitFile, listCommitFiles } from './commit-files.ts'
import { quoteName } from './quote.ts'

/**
 * Find the files of a fresh checkout that git calls changed, though no one changed them: what it would commit by their attributes
 * is not what the commit has, such as CRLF in a file that is `text`. In this work tree they are then the bytes that the commit has.
 * The names are kept for later work trees.
 */
export async function settleUnnormalized(paths: SessionPaths, folder: string): Promise<void> {
  const names = await listUnnormalized(folder)
  fs.rmSync(paths.unnormalizedFiles, { force: true })
  if (names.length === 0) return
  fs.writeFileSync(paths.unnormalizedFiles, encodeName(names.join('\0')))
  await writeUnnormalized(paths, folder)
}

/** Write the files that were found, as their commit has them, and have git leave them as they are. */
export async function writeUnnormalized(paths: SessionPaths, folder: string): Promise<void> {
  const text = readBytesIfPresent(paths.unnormalizedFiles)?.toString('latin1') ?? ''
  const known = new Set(decodeNames(text).split('\0').filter(Boolean))
  if (known.size === 0) return
  const lines = [...known].map(name => `${formatPattern(name)} ${KEPT_AS_IT_IS}\n`)
  fs.writeFileSync(path.join(folder, '.git/info/attributes'), encodeName(lines.join('')))
  const present = (await listFiles(folder)).filter(name => known.has(name))
  for (const name of present) fs.rmSync(encodeName(path.join(folder, name)), { force: true })
  const args = ['checkout-index', '--force', '--index', '-z', '--stdin']
  await git(args, { cwd: folder, input: encodeName(present.map(name => `${name}\0`).join('')) })
}

/** Those of the files whose bytes or mode are not those that a commit has for them. */
export async function omitSameBytes(repository: SessionRepository, commit: string, files: string[]): Promise<string[]> {
  if (files.length === 0) return files
  const names = new Set(files)
  const committed = (await listCommitFiles(repository, commit)).filter(file => names.has(file.path))
  const byName = new Map(committed.map(file => [file.path, file]))
  return files.filter(name => {
    const file = byName.get(name)
    return file === undefined || !hasSameBytes(repository.outputs, file)
  })
}

// --- internal ---

/** What decides whether git changes the bytes of a file. With `text=auto` it leaves a file as it is that has CRLF already. */
const attributes = ['text', 'eol', 'ident', 'crlf', 'working-tree-encoding', 'filter']
const KEPT_AS_IT_IS = '-text -ident -crlf !working-tree-encoding'

async function listUnnormalized(folder: string): Promise<string[]> {
  const words = ['text', 'eol', 'ident', 'crlf', 'encoding'].flatMap(word => ['-e', word])
  const args = ['grep', '--quiet', ...words, 'HEAD', '--', ':(glob)**/.gitattributes']
  if ((await tryGit(args, { cwd: folder })).exitCode === 1) return []
  const entries = (await listFiles(folder, '--stage')).flatMap(parseEntry)
  const names = entries.map(({ name }) => name)
  const values = await readAttributes(attributes, names, { cwd: folder })
  const converted = entries.filter(({ name }) => {
    const [text, eol, ident, crlf, encoding, filter] = values.get(name) ?? []
    if (filter !== 'unspecified' && filter !== 'unset') return false
    const isText =
      text === 'set' || text === 'input' || (text === 'unspecified' && (eol !== 'unspecified' || isOn(crlf)))
    return isText || isOn(ident) || encoding !== 'unspecified'
  })
  if (converted.length === 0) return []
  const paths = encodeName(converted.map(({ name }) => `${quoteName(name)}\n`).join(''))
  const hashed = (await git(['hash-object', '--stdin-paths'], { cwd: folder, input: paths })).split('\n')
  return converted.filter(({ blob }, index) => hashed[index] !== blob).map(({ name }) => name)
}

async function listFiles(cwd: string, ...options: string[]): Promise<string[]> {
  const output = await git(['ls-files', '-z', ...options], { cwd, encoding: 'latin1' })
  return decodeNames(output).split('\0').filter(Boolean)
}

function isOn(value = ''): boolean {
  return value === 'set' || value === 'input'
}

/** Regular files only: git changes no others. */
function parseEntry(entry: string): { name: string; blob: string }[] {
  const tab = entry.indexOf('\t')
  const [mode = '', blob = ''] = entry.slice(0, tab).split(' ')
  return mode.startsWith('100') ? [{ name: entry.slice(tab + 1), blob }] : []
}

/** The pattern of git's attributes that means this file and no other. */
function formatPattern(name: string): string {
  return quoteName(`/${name.replace(/[\\*?[\]]/g, '\\$&')}`)
}

function hasSameBytes(folder: string, { path: name, mode, sizeBytes, blob }: CommitFile): boolean {
  const file = encodeName(path.join(folder, name))
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stat?.isFile() || stat.size !== sizeBytes || stat.size > MAX_COMPARED_BYTES) return false
  if (isBehindLink(folder, path.dirname(name))) return false
  if (mode !== ((stat.mode & 0o100) === 0 ? '100644' : '100755')) return false
  const bytes = fs.readFileSync(file)
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex') === blob
}

/** Behind a link it is another file, at which git does not look. */
function isBehindLink(folder: string, parent: string): boolean {
  const top = fs.realpathSync(folder)
  return !fs.realpathSync(encodeName(path.join(folder, parent)), 'buffer').equals(encodeName(path.join(top, parent)))
}

/** Text is smaller. */
const MAX_COMPARED_BYTES = 64 << 20
