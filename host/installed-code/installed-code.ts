import { z } from 'zod'
import { findClone } from '../config/clone.ts'
import { installFolder, isBuilt } from '../config/config.ts'
import { readBuildHash } from '../config/source-record.ts'
import { findInstalledFolder, readPackageVersion } from './versions.ts'

/** Which code a process runs. `version` is `0.1.0+1a2b3c4d5e6f`, with the beginning of the hash of the sources, or `0.1.0+sources`. */
export const Code = z.object({ version: z.string(), install: z.string() })

export type Code = z.infer<typeof Code>

/** The code in a folder. A process that asks this of its own folder at its start knows its own. It reads two small files. */
export function readCode(install = installFolder, runsBuild = isBuilt): Code {
  const build = runsBuild ? (readBuildHash(install)?.slice(0, HASH_CHARACTERS) ?? 'unknown') : SOURCES
  return { version: `${readPackageVersion(install) ?? 'unknown'}+${build}`, install }
}

/** The code that `dispatch` would run if it were started now: that of this folder, unless it was updated to another one. */
export function readInstalledCode(): Code {
  return isBuilt ? readCode(findInstalledFolder()) : readCode()
}

/**
 * Does a process run other code than its clone has installed now? The versions beside a clone belong to it. Not known, so false,
 * for one that began from another clone, and for one that runs the sources. Pure.
 */
export function isOutdated(running: Code, installed: Code): boolean {
  return findClone(running.install) === findClone(installed.install) && isOtherBuild(running.version, installed.version)
}

/** The same by the versions alone. Pure. */
export function isOtherBuild(running: string, installed: string): boolean {
  return ![running, installed].some(version => version.endsWith(`+${SOURCES}`)) && running !== installed
}

// --- internal ---

const SOURCES = 'sources'
const HASH_CHARACTERS = 12
