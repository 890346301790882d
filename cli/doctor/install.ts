import fs from 'node:fs'
import path from 'node:path'
import {
  type Config,
  installFolder,
  isBuildCurrent,
  isBuilt,
  prepareHome,
  readConfig,
  readDefaultConfig,
} from '#host/config'
import { DispatchError } from '#host/error.ts'
import {
  describeFreeSpace,
  detectFileSystem,
  FREE_SPACE_REMEDY,
  LOW_SPACE_BYTES,
  MIN_SPACE_BYTES,
  measureFreeSpace,
} from '#host/fs'
import { type DoctorResult, fail, ok, warn } from './result.ts'

/** The settings; where they are invalid the defaults, and a result for each problem. The rest can still be checked. */
export function checkConfiguration(): { config: Config; results: DoctorResult[]; isValid: boolean } {
  try {
    return { config: readConfig(), results: [ok('settings', 'valid')], isValid: true }
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const [, ...problems] = error.message.split('\n  ')
    if (problems.length === 0) throw error // DISPATCH_HOME itself is invalid.
    const results = problems.map(problem => fail('settings', problem, error.remedy))
    return { config: readDefaultConfig(), results, isValid: false }
  }
}

/** Is the build older than the sources? After `git pull` without `npm ci` it is. */
export function checkBuild(folder = installFolder, runsBuild = isBuilt): DoctorResult {
  if (!runsBuild) return ok('build', 'dispatch runs from its sources')
  if (isBuildCurrent(folder)) return ok('build', 'up to date with its sources')
  return warn('build', 'the sources have changed since dispatch was built', `Run \`npm ci\` in ${folder}`)
}

/** DISPATCH_HOME: can dispatch write there, is there space, is it on a local disk, and are its secrets private? */
export async function checkHome(config: Config): Promise<DoctorResult[]> {
  prepareHome(config)
  const { home } = config
  const { isNetwork, kind } = await detectFileSystem(home)
  const file = path.join(home, '.env')
  const isShared = ((fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0
  const problem = `DISPATCH_HOME is on a network file system (${kind}), where locks and file watching are unreliable`
  return [
    checkSpace(home),
    ...(isNetwork ? [warn('disk', problem, 'Set DISPATCH_HOME to a folder on a local disk')] : []),
    ...(isShared ? [warn('secrets', `other users of this machine can read ${file}`, `\`chmod 600 ${file}\``)] : []),
  ]
}

// --- internal ---

function checkSpace(home: string): DoctorResult {
  const freeBytes = measureFreeSpace(home)
  const message = describeFreeSpace(home, freeBytes)
  if (freeBytes < MIN_SPACE_BYTES) return fail('home', `${message}: no session can start`, FREE_SPACE_REMEDY)
  return freeBytes < LOW_SPACE_BYTES ? warn('home', message, FREE_SPACE_REMEDY) : ok('home', message)
}
