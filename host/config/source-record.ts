import path from 'node:path'
import { z } from 'zod'
import { readIfPresent, readJson, writeAtomic } from '../fs/files.ts'
import { sha256 } from '../hash.ts'
import { buildFolder } from './config.ts'

/** The sources that a build was made from: paths in the install, and one hash of all of them. */
const SourceRecord = z.object({ files: z.array(z.string()), sha256: z.string() })

/** Record in the folder of a build which files of the install it was made from, as they are now. */
export function writeSourceRecord(folder: string, install: string, files: string[]): void {
  const record = { files, sha256: hashSources(install, files) }
  writeAtomic(path.join(folder, RECORD_FILE), JSON.stringify(record), 0o644)
}

/** Was the build of this install made from the sources that are there now? False where nothing is recorded. */
export function isBuildCurrent(install: string): boolean {
  const record = SourceRecord.safeParse(readJson(path.join(install, buildFolder, RECORD_FILE))).data
  return record !== undefined && hashSources(install, record.files) === record.sha256
}

/** The hash of the sources of the build that is installed; undefined where nothing is recorded. */
export function readBuildHash(install: string): string | undefined {
  return SourceRecord.safeParse(readJson(path.join(install, buildFolder, RECORD_FILE))).data?.sha256
}

// --- internal ---

const RECORD_FILE = 'sources.json'

/** A file that does not exist counts as empty. */
function hashSources(install: string, files: string[]): string {
  return sha256(files.map(file => JSON.stringify([file, readIfPresent(path.join(install, file)) ?? ''])).join(''))
}
