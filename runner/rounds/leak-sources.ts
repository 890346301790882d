import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { SessionPaths } from '#session'
import { type Commit, exportTree, listChangedPaths, listCommitFiles } from '#session/repository'
import type { PacketInput } from '#validator'
import { listIgnoredFiles } from '../dependencies/ignored-files.ts'

/** Larger files are data, and are not searched. */
const MAX_SOURCE_BYTES = 16 * 1024 * 1024

/**
 * Hand over what the judge must never see: every file of the work, every file of the base that the work changed or
 * removed, and the files that were given to it. Each is read from a copy when it is asked for, so that no more than one is in memory, and the copy is gone
 * afterwards.
 */
export async function withSources<T>(
  paths: SessionPaths,
  { base, head }: { base: Commit; head: Commit },
  use: (sources: PacketInput['sources']) => T,
): Promise<T> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-scan-'))
  try {
    const changed = await listChangedPaths(paths, base.commit, head.commit)
    const before = changed.filter(({ change }) => change !== 'added').map(({ path: file }) => file)
    const sides = [
      {
        at: path.join(folder, 'head'),
        commit: head.commit,
        files: (await listCommitFiles(paths, head.commit)).map(getPath),
      },
      { at: path.join(folder, 'base'), commit: base.commit, files: before },
    ]
    const given = { at: paths.ignoredFiles, files: listIgnoredFiles(paths) }
    for (const { at, commit, files } of sides) {
      fs.mkdirSync(at)
      await exportTree(paths, commit, at, files)
    }
    return use({ [Symbol.iterator]: () => readSources([...sides, given]) })
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function* readSources(sides: { at: string; files: string[] }[]): Generator<{ path: string; text: string }> {
  for (const { at, files } of sides) {
    for (const file of files) {
      const found = fs.lstatSync(path.join(at, file), { throwIfNoEntry: false })
      if (found?.isFile() && found.size <= MAX_SOURCE_BYTES)
        yield { path: file, text: fs.readFileSync(path.join(at, file), 'utf8') }
    }
  }
}

const getPath = ({ path: file }: { path: string }) => file
