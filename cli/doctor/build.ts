import { installFolder, isBuildCurrent, isBuilt } from '#host/config'
import { type DoctorResult, ok, warn } from './result.ts'

/** Is the build older than the sources? After `git pull` without `npm ci` it is. */
export function checkBuild(folder = installFolder, runsBuild = isBuilt): DoctorResult {
  if (!runsBuild) return ok('build', 'dispatch runs from its sources')
  if (isBuildCurrent(folder)) return ok('build', 'up to date with its sources')
  return warn('build', 'the sources have changed since dispatch was built', `Run \`npm ci\` in ${folder}`)
}
