import path from 'node:path'

/** What follows the path of a clone in that of the folder with its versions. */
const VERSIONS_ENDING = '.versions'

/** The folder beside a clone in which `dispatch update` keeps versions, each in a folder of its own. Pure. */
export function getVersionsFolder(clone: string): string {
  return `${clone}${VERSIONS_ENDING}`
}

/** The clone that an install belongs to: itself, unless it is a version that `dispatch update` has put beside a clone. Pure. */
export function findClone(install: string): string {
  const parent = path.dirname(install)
  const isVersion = parent.endsWith(VERSIONS_ENDING) && versionName.test(path.basename(install))
  return isVersion ? parent.slice(0, -VERSIONS_ENDING.length) : install
}

/** Is this the name of a version's folder, such as `0.2.0-1a2b3c4d5e6f`? Pure. */
export function isVersionName(name: string): boolean {
  return versionName.test(name)
}

// --- internal ---

const versionName = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?-[0-9a-f]{12}$/
