import path from 'node:path'
import { z } from 'zod'
import { installFolder, isBuilt } from '../config/config.ts'
import { readBuildHash } from '../config/source-record.ts'
import { readJson } from '../fs/files.ts'

/** Which code a process runs. `version` is `0.1.0+1a2b3c4d5e6f`, with the beginning of the hash of the sources, or `0.1.0+sources`. */
export const Code = z.object({ version: z.string(), install: z.string() })

export type Code = z.infer<typeof Code>

/**
 * The code that a process of this install would run if it started now. A process that asks this at its start knows its own. It
 * reads two small files.
 */
export function readInstalledCode(install = installFolder, runsBuild = isBuilt): Code {
  const manifest = z.looseObject({ version: z.string() }).safeParse(readJson(path.join(install, 'package.json')))
  const build = runsBuild ? (readBuildHash(install)?.slice(0, HASH_CHARACTERS) ?? 'unknown') : SOURCES
  return { version: `${manifest.data?.version ?? 'unknown'}+${build}`, install }
}

/**
 * Does a process run other code than the install from which it was started has now? Not known, so false, for one that began from
 * another install, and for one that runs the sources. Pure.
 */
export function isOutdated(running: Code, installed: Code): boolean {
  return running.install === installed.install && isOtherBuild(running.version, installed.version)
}

/** The same by the versions alone. Pure. */
export function isOtherBuild(running: string, installed: string): boolean {
  return ![running, installed].some(version => version.endsWith(`+${SOURCES}`)) && running !== installed
}

// --- internal ---

const SOURCES = 'sources'
const HASH_CHARACTERS = 12
