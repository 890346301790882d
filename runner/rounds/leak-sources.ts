import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { SessionPaths } from '#session'
import { type Commit, exportTree, listChangedPaths, listCommitFiles } from '#session/repository'
import type { PacketInput } from '#validator'
import { listIgnoredFiles } from '../dependencies/ignored-files.ts'

/** Larger files are data and are not scanned. */
const MAX_SOURCE_BYTES = 16 * 1024 * 1024

interface SourceFolder {
  folder: string
  files: string[]
}

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
  const exportFiles = async (name: string, commit: Commit, files: string[]): Promise<SourceFolder> => {
    const folder = path.join(scratch, name)
    fs.mkdirSync(folder)
    await exportTree(paths, commit.commit, folder, files)
    return { folder, files }
  }
  try {
    const headFiles = await listCommitFiles(paths, head.commit)
    const changes = await listChangedPaths(paths, base.commit, head.commit)
    const replaced = changes.filter(({ change }) => change !== 'added')
    const folders = [
      await exportFiles('head', head, headFiles.map(getPath)),
      await exportFiles('base', base, replaced.map(getPath)),
      { folder: paths.ignoredFiles, files: listIgnoredFiles(paths) },
    ]
    return use({ [Symbol.iterator]: () => readSources(folders) })
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

function* readSources(folders: SourceFolder[]): Generator<{ path: string; text: string }> {
  for (const { folder, files } of folders) {
    for (const name of files) {
      const file = path.join(folder, name)
      const stat = fs.lstatSync(file, { throwIfNoEntry: false })
      if (stat?.isFile() && stat.size <= MAX_SOURCE_BYTES) yield { path: name, text: fs.readFileSync(file, 'utf8') }
    }
  }
}

const getPath = (file: { path: string }) => file.path
