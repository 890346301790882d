import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { readAttributes } from '../git/attributes.ts'
import { buildFolderArguments, git, listWithGit, tryGit } from '../git/git.ts'
import { type LfsPointer, parseLfsPointer } from './lfs.ts'

/** A file of a commit that git has as a pointer of Git LFS. */
export interface PointerFile extends LfsPointer {
  isExecutable: boolean
  /** The object of git that holds the pointer. */
  blob: string
}

/**
 * The files that have a filter by the `.gitattributes` of a commit, each with the name of the filter: its own files, or those
 * with these names. No filter runs.
 */
export async function listFilteredFiles(
  gitFolder: string,
  commit: string,
  names?: string[],
): Promise<Map<string, string>> {
  const inRepository = buildFolderArguments(gitFolder)
  const args = ['grep', '--quiet', '-e', 'filter', commit, '--', ':(glob)**/.gitattributes']
  if ((await tryGit([...inRepository, ...args])).exitCode === 1) return new Map()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-index-'))
  const env = { GIT_INDEX_FILE: path.join(folder, 'index') }
  try {
    await git([...inRepository, 'read-tree', commit], { env })
    const files = names ?? (await listWithGit([...inRepository, 'ls-files', '-z'], { env }))
    const attributes = await readAttributes(['filter'], files, { options: inRepository, isCached: true, env })
    const filters = [...attributes].map(([file, [filter = '']]) => [file, filter] as const)
    return new Map(filters.filter(([, filter]) => !['unspecified', 'unset', 'set', ''].includes(filter)))
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** The files of a commit, by its hash, that are pointers of Git LFS. A commit never changes, so the answer is kept. */
export async function listLfsPointers(gitFolder: string, commit: string): Promise<ReadonlyMap<string, PointerFile>> {
  const key = `${gitFolder} ${commit}`
  const known = knownPointers.get(key)
  if (known) return known
  const filters = await listFilteredFiles(gitFolder, commit)
  const names = new Set([...filters].flatMap(([file, filter]) => (filter === 'lfs' ? [file] : [])))
  const pointers = names.size === 0 ? new Map() : await readPointers(gitFolder, commit, names)
  if (/^[0-9a-f]{40}$/.test(commit)) knownPointers.set(key, pointers)
  return pointers
}

/** Those of the blobs that are pointers of Git LFS. */
export async function readPointerBlobs(gitFolder: string, blobs: Set<string>): Promise<Map<string, LfsPointer>> {
  const input = [...blobs].map(blob => `${blob}\n`).join('')
  const format = '--batch-check=%(objectname) %(objectsize)'
  const sizes = (await git([...buildFolderArguments(gitFolder), 'cat-file', format], { input })).split('\n')
  const small = sizes.map(line => line.split(' ')).filter(([, bytes]) => Number(bytes) < MAX_POINTER_BYTES)
  const texts = await readPointerTexts(gitFolder, new Set(small.map(([blob = '']) => blob)))
  return new Map(
    [...texts].flatMap(([blob, text]) => {
      const pointer = parseLfsPointer(text)
      return pointer ? [[blob, pointer]] : []
    }),
  )
}

// --- internal ---

const knownPointers = new Map<string, ReadonlyMap<string, PointerFile>>()

/** A longer file is never a pointer. */
const MAX_POINTER_BYTES = 1024

async function readPointers(gitFolder: string, commit: string, names: Set<string>): Promise<Map<string, PointerFile>> {
  const entries = await listWithGit([...buildFolderArguments(gitFolder), 'ls-tree', '-r', '-l', '-z', commit])
  const small = entries.flatMap(entry => {
    const nameStart = entry.indexOf('\t') + 1 // A name may have tabs too.
    const file = entry.slice(nameStart)
    const [mode, , blob = '', bytes] = entry.slice(0, nameStart).split(/\s+/)
    return names.has(file) && Number(bytes) < MAX_POINTER_BYTES ? [{ file, blob, isExecutable: mode === '100755' }] : []
  })
  const texts = await readPointerTexts(gitFolder, new Set(small.map(({ blob }) => blob)))
  return new Map(
    small.flatMap(({ file, blob, isExecutable }) => {
      const pointer = parseLfsPointer(texts.get(blob) ?? '')
      return pointer ? [[file, { ...pointer, isExecutable, blob }]] : []
    }),
  )
}

/** Those of the blobs that begin like a pointer. A blob can contain what looks like another one, so each is hashed. */
async function readPointerTexts(gitFolder: string, blobs: Set<string>): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  if (blobs.size === 0) return texts
  const input = `${[...blobs].join('\n')}\n`
  const output = await git([...buildFolderArguments(gitFolder), 'cat-file', '--batch=%(objectname) %(objectsize)'], {
    input,
  })
  for (const { index, 0: header, 1: blob = '', 2: bytes } of output.matchAll(/^([0-9a-f]{40}) (\d+)\n(?=version )/gm)) {
    const text = output.slice(index + header.length, index + header.length + Number(bytes))
    const hash = createHash('sha1').update(`blob ${bytes}\0${text}`).digest('hex')
    if (hash === blob) texts.set(blob, text)
  }
  return texts
}
