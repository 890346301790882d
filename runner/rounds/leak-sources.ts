import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { encodeName } from '#host/file-name.ts'
import type { SessionPaths } from '#session'
import { type Commit, listChangedPaths, listCommitFiles, readCommitFiles } from '#session/repository'
import { listIgnoredFiles } from '#session/secrets'
import type { PacketInput } from '#validator'

/** Larger files are data and are not scanned. */
const MAX_SOURCE_BYTES = 16 * 1024 * 1024

/**
 * Call `use` with everything that the judge must never see: every file of the work, every file of the base that the work
 * changed or removed, and the ignored files. Each is read when it is asked for, so that only one is in memory. What git has
 * is read from one copy for all, because writing and removing many files takes long. The copy is removed afterwards.
 */
export async function withSources<T>(
  paths: SessionPaths,
  { base, head }: { base: Commit; head: Commit },
  use: (sources: PacketInput['sources']) => T,
): Promise<T> {
  const changes = await listChangedPaths(paths, base.commit, head.commit)
  const replaced = new Set(changes.flatMap(({ change, path: name }) => (change === 'added' ? [] : [name])))
  const baseFiles = (await listCommitFiles(paths, base.commit)).filter(file => replaced.has(file.path))
  const files = [...(await listCommitFiles(paths, head.commit)), ...baseFiles].filter(isSource)
  const ignored = listIgnoredFiles(paths).map(name => ({ name, file: path.join(paths.ignoredFiles, name) }))
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-scan-'))
  const copy = fs.openSync(path.join(scratch, 'files'), 'wx+', 0o600)
  try {
    for await (const [, content] of readCommitFiles(paths, files)) fs.writeFileSync(copy, content)
    return use({
      *[Symbol.iterator]() {
        yield* readCopy(copy, files)
        yield* readSources(ignored)
      },
    })
  } finally {
    fs.closeSync(copy)
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

type CommitFile = Awaited<ReturnType<typeof listCommitFiles>>[number]

/** No link and no submodule. */
function isSource({ mode, sizeBytes }: CommitFile): boolean {
  return mode.startsWith('100') && sizeBytes <= MAX_SOURCE_BYTES
}

/** The files from a copy that has them one after the other. */
function* readCopy(copy: number, files: CommitFile[]): Generator<{ path: string; text: string }> {
  let position = 0
  for (const { path: name, sizeBytes } of files) {
    const content = Buffer.alloc(sizeBytes)
    fs.readSync(copy, content, 0, sizeBytes, position)
    position += sizeBytes
    yield { path: name, text: content.toString('utf8') }
  }
}

/** Files by their path in the work, and their copies. */
function* readSources(files: { name: string; file: string }[]): Generator<{ path: string; text: string }> {
  for (const { name, file } of files) {
    const bytes = encodeName(file)
    const stat = fs.lstatSync(bytes, { throwIfNoEntry: false })
    if (stat?.isFile() && stat.size <= MAX_SOURCE_BYTES) yield { path: name, text: fs.readFileSync(bytes, 'utf8') }
  }
}
