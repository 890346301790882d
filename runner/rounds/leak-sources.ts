import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { encodeName } from '#host/file-name.ts'
import type { SessionPaths } from '#session'
import { type Commit, exportTree, listChangedPaths, listCommitFiles } from '#session/repository'
import type { PacketInput } from '#validator'
import { listIgnoredFiles } from '../dependencies/ignored-files.ts'

/** Larger files are data and are not scanned. */
const MAX_SOURCE_BYTES = 16 * 1024 * 1024

/**
 * Call `use` with everything that the judge must never see: every file of the work, every file of the base that the work
 * changed or removed, and the ignored files. Each is read from a copy when it is asked for, so that only one is in memory.
 * The copies are removed afterwards.
 */
export async function withSources<T>(
  paths: SessionPaths,
  { base, head }: { base: Commit; head: Commit },
  use: (sources: PacketInput['sources']) => T,
): Promise<T> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-scan-'))
  const exportFiles = async (name: string, { commit }: Commit, files: { path: string }[]): Promise<SourceFile[]> => {
    const folder = path.join(scratch, name)
    const names = files.map(file => file.path)
    fs.mkdirSync(folder)
    await exportTree(paths, commit, folder, names)
    return names.map(name => ({ name, file: path.join(folder, name) }))
  }
  try {
    const changes = await listChangedPaths(paths, base.commit, head.commit)
    const replaced = changes.filter(({ change }) => change !== 'added')
    const files = [
      ...(await exportFiles('head', head, await listCommitFiles(paths, head.commit))),
      ...(await exportFiles('base', base, replaced)),
      ...listIgnoredFiles(paths).map(name => ({ name, file: path.join(paths.ignoredFiles, name) })),
    ]
    return use({ [Symbol.iterator]: () => readSources(files) })
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

/** A file by its path in the work, and its copy. */
type SourceFile = { name: string; file: string }

function* readSources(files: SourceFile[]): Generator<{ path: string; text: string }> {
  for (const { name, file } of files) {
    const bytes = encodeName(file)
    const stat = fs.lstatSync(bytes, { throwIfNoEntry: false })
    if (stat?.isFile() && stat.size <= MAX_SOURCE_BYTES) yield { path: name, text: fs.readFileSync(bytes, 'utf8') }
  }
}
