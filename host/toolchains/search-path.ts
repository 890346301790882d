import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { listNames, readIfPresent, resolveRealPath } from '../fs/files.ts'
import { isUnder } from '../sandbox/policy.ts'

/** PATH for what runs in a session, and the folders that were left out; those in the checkout as paths from its top. */
export interface SessionSearchPath {
  searchPath: string
  leftOut: string[]
}

/**
 * PATH without the folders that lie in the user's checkout, such as the `.venv/bin` of a virtualenv that is activated in the shell:
 * its programs would load the user's files in place of the ones that are tested. A folder that only links out of the checkout
 * stays, by its real path. An environment of Python outside is left out as well if the checkout is installed in it in place. A
 * repository that contains the home has all tools of the user in it, so nothing is left out there.
 */
export function leaveOutCheckout(
  checkout: string | undefined,
  searchPath = process.env['PATH'] ?? '',
  home = os.homedir(),
): SessionSearchPath {
  if (checkout === undefined) return { searchPath, leftOut: [] }
  const top = resolveRealPath(checkout)
  const tops = [checkout, top]
  const isInside = (folder: string) => tops.some(place => isUnder(folder, place))
  if (isInside(home) || isInside(resolveRealPath(home))) return { searchPath, leftOut: [] }
  const folders = searchPath.split(path.delimiter).map(folder => {
    if (!path.isAbsolute(folder)) return { folder, real: folder, isLeftOut: false }
    const real = resolveRealPath(folder)
    const isLeftOut = isInside(real) || hasInstalledInPlace(real, tops)
    return { folder: isInside(path.resolve(folder)) ? real : folder, real, isLeftOut }
  })
  const leftOut = folders
    .filter(({ isLeftOut }) => isLeftOut)
    .map(({ real }) => (isInside(real) ? path.relative(top, real) || '.' : real))
  const kept = folders.filter(({ isLeftOut }) => !isLeftOut).map(({ folder }) => folder)
  return { searchPath: kept.join(path.delimiter), leftOut: [...new Set(leftOut)] }
}

/**
 * The Pythons on this PATH that load the files of the checkout, because it is installed in place in one that is not an environment:
 * that of the system, or of a version manager. It cannot be left out, because it has all other programs too.
 */
export function listPythonsOfCheckout(checkout: string, searchPath = process.env['PATH'] ?? ''): string[] {
  const tops = [checkout, resolveRealPath(checkout)]
  const folders = searchPath.split(path.delimiter).filter(folder => path.isAbsolute(folder))
  const prefixes = folders.flatMap(folder => {
    const prefix = path.dirname(resolveRealPath(folder))
    if (path.basename(folder) !== 'shims') return [prefix]
    const versions = path.join(prefix, 'versions') // Of pyenv.
    return listNames(versions).map(name => path.join(versions, name))
  })
  return [...new Set(prefixes)].filter(prefix => !isEnvironment(prefix) && loadsFrom(prefix, tops))
}

/** The environment of this process, which a session inherits variables from. */
export function buildSessionEnvironment(checkout: string | undefined): NodeJS.ProcessEnv {
  return { ...process.env, PATH: leaveOutCheckout(checkout).searchPath }
}

/** For checks that a process of the user's runs, with the environments that are activated in its shell. */
export function applySearchPath(checkout: string | undefined): void {
  process.env['PATH'] = leaveOutCheckout(checkout).searchPath
}

// --- internal ---

/** Is one of these folders installed in the environment of Python whose `bin` this is, so that it loads the files from there? */
function hasInstalledInPlace(folder: string, projects: string[]): boolean {
  const environment = path.dirname(folder)
  return isEnvironment(environment) && loadsFrom(environment, projects)
}

/** Of venv, virtualenv and uv, or of conda: more than one may be installed, and the project can have another. */
function isEnvironment(folder: string): boolean {
  return ['pyvenv.cfg', 'conda-meta'].some(name => fs.existsSync(path.join(folder, name)))
}

/** Does the Python that is installed below this folder load files of one of these? Debian has a folder for all versions. */
function loadsFrom(prefix: string, projects: string[]): boolean {
  const lib = path.join(prefix, 'lib')
  const packages = listNames(lib)
    .filter(name => name.startsWith('python'))
    .flatMap(name => ['site-packages', 'dist-packages'].map(kind => path.join(lib, name, kind)))
  const files = packages.flatMap(place => listNames(place).map(name => path.join(place, name)))
  return files
    .filter(file => /\.(pth|egg-link)$|\/__editable__[^/]*\.py$/.test(file))
    .some(file => projects.some(project => mentions(readIfPresent(file) ?? '', project)))
}

/** Has a text this path, or one below it? */
function mentions(text: string, folder: string): boolean {
  return text
    .split(folder)
    .slice(1)
    .some(rest => !/^[\w.-]/.test(rest))
}
