import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { deleteFolder, listNames, measureFolder, readIfPresent } from '#host/fs'
import { getVersionFolder, listVersions, readCode, readVersionChoice } from '#host/installed-code'
import { listCommandLines } from '#host/process'
import type { Session } from '#session'
import { listOpenSessions } from '#session/search-index'

/** A version beside the clone that nothing needs any more. */
export interface UnusedVersion {
  name: string
  folder: string
  bytes: number
}

/**
 * The versions that are neither used nor the one before, that no process runs from, in any home, and that no session of this home
 * began with that has not ended.
 */
export async function listUnused(config: Config): Promise<UnusedVersion[]> {
  const { cloneFolder } = config
  const { current, previous } = readVersionChoice(cloneFolder)
  const candidates = listVersions(cloneFolder).filter(name => name !== current && name !== previous)
  if (candidates.length === 0) return []
  const [commands, open] = await Promise.all([listCommandLines(), listOpenSessions(config)])
  const needed = [
    ...commands,
    ...open.flatMap(({ session, status }) => [status.runnerVersion ?? '', ...readLaunchScripts(session)]),
  ]
  const isNeeded = (name: string) => {
    const folder = getVersionFolder(cloneFolder, name)
    const { version } = readCode(folder, true)
    return needed.some(text => text === version || text.includes(`${folder}/`))
  }
  return candidates
    .filter(name => !isNeeded(name))
    .map(name => ({ name, folder: getVersionFolder(cloneFolder, name) }))
    .map(version => ({ ...version, bytes: measureFolder(version.folder) }))
}

/** Remove them. Returns their names. */
export async function removeUnused(config: Config): Promise<string[]> {
  const unused = await listUnused(config)
  for (const { folder } of unused) deleteFolder(folder)
  return unused.map(({ name }) => name)
}

// --- internal ---

/** What starts the agents of a session, with the paths of the code that it began with. */
function readLaunchScripts({ paths }: Session): string[] {
  const windows = listNames(paths.windows).map(name => path.join(paths.windows, name))
  const workers = listNames(paths.workers).map(name => paths.worker(name).launchScript)
  return [paths.launchScript, ...windows, ...workers]
    .filter(file => fs.existsSync(file))
    .map(file => readIfPresent(file) ?? '')
}
