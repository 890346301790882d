import { createHash } from 'node:crypto'
import path from 'node:path'
import { z } from 'zod'
import { buildFolder, installFolder, isBuilt } from '#host/config'
import { readIfPresent, readJson } from '#host/fs'
import { type DoctorResult, ok, warn } from './result.ts'
/** The file of a build that names its sources, by their paths in the install, with one hash of them all. */
export const SOURCE_RECORD_FILE = 'sources.json'

const Sources = z.object({ files: z.array(z.string()), sha256: z.string() })

/** The sources as they are now; one that does not exist counts as empty. */
export function computeSourceRecord(folder: string, files: string[]): z.infer<typeof Sources> {
  const hash = createHash('sha256')
  for (const file of files) hash.update(JSON.stringify([file, readIfPresent(path.join(folder, file)) ?? '']))
  return { files, sha256: hash.digest('hex') }
}

/** Was the build made from the sources that are there now? After `git pull` without `npm ci` it was not. */
export function checkBuild(folder = installFolder, runsBuild = isBuilt): DoctorResult {
  if (!runsBuild) return ok('build', 'the sources run, without a build')
  const record = Sources.safeParse(readJson(path.join(folder, buildFolder, SOURCE_RECORD_FILE))).data
  if (record && computeSourceRecord(folder, record.files).sha256 === record.sha256)
    return ok('build', 'made from the sources that are here')
  return warn('build', 'an older dispatch runs: its sources have changed since it was built', `\`npm ci\` in ${folder}`)
}
