import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { findClone, getVersionsFolder, isVersionName } from '../config/clone.ts'
import { buildFolder, cloneFolder, installFolder, isBuilt } from '../config/config.ts'
import { listNames, readIfPresent, readJson, writeAtomic } from '../fs/files.ts'

/** Which code of a clone is used, and which was before: the name of a version's folder, or `clone` for the clone itself. */
export interface VersionChoice {
  current: string
  previous: string | undefined
}

/** The name of the clone's own code among its versions. */
export const CLONE_NAME = 'clone'

/** What is chosen. A version whose folder is gone does not count, and neither do other names: `bin/dispatch` reads it the same way. */
export function readVersionChoice(clone: string): VersionChoice {
  const names = readIfPresent(path.join(clone, CHOICE_FILE))?.split('\n') ?? []
  const [current = CLONE_NAME, previous] = names.map(name => (isPresent(clone, name) ? name : undefined))
  return { current, previous }
}

/** Switch in one step: what is started from now on runs `current`. */
export function writeVersionChoice(clone: string, { current, previous }: VersionChoice): void {
  writeAtomic(path.join(clone, CHOICE_FILE), `${current}\n${previous ?? ''}\n`, 0o644)
}

/** The names of the versions beside a clone. */
export function listVersions(clone: string): string[] {
  return listNames(getVersionsFolder(clone)).filter(isVersionName)
}

/** The folder with the code of this name. Pure. */
export function getVersionFolder(clone: string, name: string): string {
  return name === CLONE_NAME ? clone : path.join(getVersionsFolder(clone), name)
}

/** The folder whose code is started now by the `dispatch` on PATH. It reads one small file. */
export function findInstalledFolder(clone = cloneFolder): string {
  return getVersionFolder(clone, readVersionChoice(clone).current)
}

/** The name of the code in a folder of a clone. Pure. */
export function getVersionName(folder: string): string {
  return findClone(folder) === folder ? CLONE_NAME : path.basename(folder)
}

/** The argv that starts `dispatch` of this folder from its build, with its own Node where it has one. */
export function buildDispatchCommand(folder: string): [node: string, file: string] {
  const node = path.join(folder, 'node_modules/node/bin/node')
  return [fs.existsSync(node) ? node : process.execPath, path.join(folder, buildFolder, 'dispatch.js')]
}

/** The argv that starts the `dispatch` that is installed now: from this process's own code unless it was updated meanwhile. */
export function buildInstalledCommand(): [node: string, file: string] {
  const folder = findInstalledFolder()
  if (isBuilt && folder !== installFolder) return buildDispatchCommand(folder)
  return [process.execPath, path.join(installFolder, isBuilt ? `${buildFolder}/dispatch.js` : 'bin/dispatch.ts')]
}

/** The version in the package of a folder, such as `0.1.0`; undefined without one. */
export function readPackageVersion(folder: string): string | undefined {
  const manifest = z.looseObject({ version: z.string() }).safeParse(readJson(path.join(folder, 'package.json')))
  return manifest.data?.version
}

// --- internal ---

/** In the clone, so that only those who can write the code can write it. git ignores it. */
const CHOICE_FILE = '.current-version'

function isPresent(clone: string, name: string): boolean {
  if (name === CLONE_NAME) return true
  return isVersionName(name) && fs.existsSync(path.join(getVersionFolder(clone, name), 'bin/dispatch'))
}
