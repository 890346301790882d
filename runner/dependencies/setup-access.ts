import fs from 'node:fs'
import path from 'node:path'
import { listCertificateFiles, listDependencyVariables, pickVariables } from '#host/config'
import { makePrivateFolder, readIfPresent } from '#host/fs'
import {
  listSettingSecrets,
  matchesEntry,
  type Project,
  readCredentialSecrets,
  resolveHomeFile,
  selectCargoSources,
} from '#host/project'
import { listKnownSecrets } from '#host/secrets'
import { resolveInHome } from '#host/toolchains'
import { type Commit, listChangedPaths } from '#session/repository'
import type { RunnerContext } from '../context.ts'

/** What install commands get of the user besides the tree. Checks and agents get none of it. */
export interface SetupAccess {
  /** Names of variables of this process. */
  variables: string[]
  /** Files of the user's home, as the project names them (`~/.npmrc`), and the files that these are. */
  credentials: { name: string; file: string }[]
  certificates: string[]
  /** Secrets in all of these, which must not get into the log. */
  secrets: string[]
  /** The file that an agent changed, for which variables with secrets and the files were left out. */
  withheldFor: string | undefined
}

/**
 * Decide what the install commands of a commit get. What installs the user's own commit gets all that the user has confirmed.
 * Where an agent has changed what the commands run or read, it could make them print a secret, so they get none.
 */
export async function resolveSetupAccess(
  { session, status }: Pick<RunnerContext, 'session' | 'status'>,
  project: Project,
  commit: Commit,
): Promise<SetupAccess> {
  const variables = listDependencyVariables(project.environment)
  const values = pickVariables(variables)
  const credentials = project.credentials.flatMap(name => {
    const file = resolveHomeFile(name)
    return fs.existsSync(file) ? [{ name, file: fs.realpathSync(file) }] : []
  })
  const isNamed = (name: string) => project.environment.includes(name)
  const listSecrets = (name: string) => {
    const value = values[name] ?? ''
    const own = isNamed(name) && value.length >= MIN_SECRET_CHARS ? [value] : []
    return [...own, ...listKnownSecrets({}, { [name]: value }), ...listSettingSecrets(`${name}=${value}`)]
  }
  const isSecret = (name: string) => isNamed(name) || listSecrets(name).length > 0
  const secrets = [...variables.flatMap(listSecrets), ...credentials.flatMap(({ file }) => readCredentialSecrets(file))]
  const access = { variables, credentials, certificates: listCertificateFiles(values), secrets, withheldFor: undefined }
  const hasSecrets = credentials.length > 0 || variables.some(isSecret)
  if (!hasSecrets || !status.base || status.base.commit === commit.commit) return access
  const changes = await listChangedPaths(session.paths, status.base.commit, commit.commit)
  const withheldFor = changes.map(change => change.path).find(file => steersSetup(file, project))
  if (withheldFor === undefined) return access
  return { ...access, variables: variables.filter(name => !isSecret(name)), credentials: [], withheldFor }
}

/**
 * Do the install commands run or read this file: a lock file, a manifest, a setting of a package tool, a script or a build
 * file, or a file that a command names? Pure.
 */
export function steersSetup(file: string, { setup, lockfiles }: Pick<Project, 'setup' | 'lockfiles'>): boolean {
  const name = path.posix.basename(file)
  return (
    lockfiles.some(entry => matchesEntry(entry, file)) ||
    steeringNames.test(name) ||
    steeringFolders.test(file) ||
    setup.some(command => command.includes(name))
  )
}

/** Link the user's files into the private home of the commands. Returns the function that removes the links. */
export function linkCredentials({ credentials }: SetupAccess, home: string): () => void {
  const links = credentials.map(({ name, file }) => {
    const link = resolveHomeFile(name, home)
    makePrivateFolder(path.dirname(link))
    fs.rmSync(link, { force: true })
    fs.symlinkSync(file, link)
    return path.relative(home, link)
  })
  return () => {
    for (const link of links) {
      // The commands may have put a link in the place of the folder, and the file there is the user's own.
      const folder = resolveInHome(home, path.dirname(link))
      if (folder !== undefined) fs.rmSync(path.join(folder, path.basename(link)), { force: true })
    }
  }
}

/** Leave in the home of a setup where cargo finds the crates that were fetched, without a login: programs of checks need it too. */
export function keepCargoSources({ credentials }: SetupAccess, home: string): void {
  const folder = resolveInHome(home, '.cargo')
  const text = credentials.map(readCargoSources).find(sources => sources !== '')
  if (folder === undefined || text === undefined) return
  const file = path.join(folder, 'config.toml')
  fs.rmSync(file, { recursive: true, force: true })
  fs.writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
}

// --- internal ---

function readCargoSources({ name, file }: SetupAccess['credentials'][number]): string {
  return /^~\/\.cargo\/config(\.toml)?$/.test(name) ? selectCargoSources(readIfPresent(file) ?? '') : ''
}

/** A variable that the user names is a secret, whatever it looks like. A shorter value occurs in any text. */
const MIN_SECRET_CHARS = 6

const steeringNames =
  /^(package\.json|[\w.-]*lock[\w.-]*\.(json|yaml)|[\w.-]+\.lock(b|file)?|npm-shrinkwrap\.json|\.npmrc|\.yarnrc(\.yml)?|\.pnpmfile\.c?js|pnpm-workspace\.yaml|bunfig\.toml|binding\.gyp|setup\.(py|cfg)|pyproject\.toml|uv\.toml|pip\.conf|pipfile|[\w.-]*requirements[\w.-]*|constraints[\w.-]*|gemfile|[\w.-]+\.gemspec|composer\.json|auth\.json|cargo\.toml|build\.rs|go\.(mod|sum|work)|pom\.xml|[\w.-]+\.(gradle|kts|[cf]sproj|sln|targets|props)|gradle\.properties|gradlew|mvnw|makefile|justfile|rakefile|mix\.exs|nuget\.config|\.dispatch\.json|[\w.-]+\.(sh|bash|cmake)|(pre|post)?(install|setup|prepare)[\w.-]*\.\w+)$/i
const steeringFolders = /(^|\/)(\.yarn|\.mvn|\.cargo|\.bundle|gradle|buildSrc|patches|scripts?|tools?|bin|hack)\//i
