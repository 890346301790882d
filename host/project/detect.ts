import path from 'node:path'
import { listIgnoredFiles, listTreeEntries, type RepositoryCommit, readBlob } from '../git/git.ts'
import { quoteForShell } from '../shell-quote.ts'
import { type CredentialFile, findCredentialFiles, listReferredVariables } from './credentials.ts'
import { listFoldersTo } from './deeper.ts'
import { buildGradleInstall } from './gradle-project.ts'
import { isLockFile, listHosts } from './hosts.ts'
import type { InstallStep, ProjectFolder } from './install-step.ts'
import { useCorepack } from './missing-programs.ts'
import { chooseNodeInstall } from './node-project.ts'
import { buildEditableInstall, buildRequirementsInstall, describePythonMachine, replaceUv } from './python-project.ts'
import type { Project } from './schema.ts'
import { extractSettings, isToolSettings } from './tool-settings.ts'
import { listVersionFiles } from './version-files.ts'

/** A proposed project file, and what it is based on. */
export interface ProjectProposal {
  project: Partial<Project> & Pick<Project, 'setup' | 'lockfiles' | 'hosts' | 'files'>
  /** One line each, such as `package-lock.json: npm ci`. */
  reasons: string[]
  /** Files of the user's home that the setup could read; the user is asked about each. */
  credentials: CredentialFile[]
}

/**
 * Propose a project file by the lock files of a commit, at its top, one folder below, and on the way to where the person is.
 * Undefined when no package tool is recognized.
 */
export async function proposeProject(
  repository: RepositoryCommit & { subfolder?: string },
): Promise<ProjectProposal | undefined> {
  const onTheWay = listFoldersTo(repository.subfolder)
  const files = (await listTreeEntries(repository)).map(entry => entry.path)
  const read = (file: string) => readBlob(repository, file)
  const detected = (await detectInstallSteps(files, read, onTheWay)).map(step => useCorepack(step))
  const machine = describePythonMachine(repository.path)
  const steps = await Promise.all(detected.map(step => replaceUv(step, read, machine)))
  const ignored = (await listIgnoredFiles(repository.path)).filter(file => /(^|\/)\.env\.(test|testing|ci)$/.test(file))
  if (steps.length === 0 && ignored.length === 0) return undefined
  const settings = await Promise.all(
    files.filter(file => isToolSettings(file, onTheWay)).map(async file => extractSettings(file, await read(file))),
  )
  const variables = [...new Set(settings.flatMap(listReferredVariables))]
  const manifests = files.filter(
    file => path.posix.basename(file) === 'pyproject.toml' && isToolSettings(file, onTheWay),
  )
  const makes = (await listMadeFiles(steps, manifests, read)).filter(file => !files.includes(file))
  return {
    project: {
      setup: steps.map(({ command }) => command),
      lockfiles: [...new Set(steps.flatMap(({ lockfiles }) => lockfiles))],
      hosts: await listHosts(steps, settings, { path: repository.path, read }),
      files: ignored,
      ...(variables.length > 0 ? { environment: variables } : {}),
      ...(makes.length > 0 ? { makes } : {}),
    },
    reasons: [
      ...steps.map(({ command, lockfiles }) => `${lockfiles[0]}: ${command}`),
      ...new Set(steps.flatMap(({ remark }) => remark ?? [])),
      ...variables.map(name => `${name}: the settings of a package tool refer to it`),
      ...makes.map(file => `${file}: the installation of the project writes its version there`),
      ...ignored.map(file => `${file}: git ignores it, and tests are likely to need it`),
    ],
    credentials: findCredentialFiles(steps.map(({ command }) => command)),
  }
}

/** The install commands for the lock files at the top of a repository, one folder below, and in the other folders. */
export async function detectInstallSteps(
  files: string[],
  read: (file: string) => Promise<string>,
  others: string[] = [],
): Promise<InstallStep[]> {
  const present = new Set(files)
  const folders = [...new Set(files.map(file => path.posix.dirname(file)))]
    .filter(
      folder =>
        others.includes(folder) ||
        !/\/|^(node_modules|vendor|examples?|fixtures|tests?|docs?|scripts|\.[\w-]+)$/.test(folder),
    )
    .sort((a, b) => (a === '.' ? -1 : b === '.' ? 1 : a < b ? -1 : 1))
  const steps: InstallStep[] = []
  for (const folder of folders) {
    const resolve = (name: string) => path.posix.join(folder, name)
    const content: ProjectFolder = {
      has: name => present.has(resolve(name)),
      files: folder === '.' ? files : files.flatMap(file => stripPrefix(file, `${folder}/`)),
      read: name => read(resolve(name)),
    }
    for (const step of await detectInFolder(content)) {
      // A folder below without a lock file of its own is most likely a member of the workspace at the top.
      const isMember = folder !== '.' && !step.lockfiles.some(isLockFile)
      if (isMember && steps.some(other => other.tool === step.tool && !other.command.startsWith('cd '))) continue
      steps.push({
        ...step,
        command: folder === '.' ? step.command : `cd ${quoteForShell(folder)} && ${step.command}`,
        lockfiles: step.lockfiles.map(resolve),
      })
    }
  }
  return steps
}

// --- internal ---

/** The files that an installation in place writes beside those of the project, by its manifests. */
async function listMadeFiles(
  steps: InstallStep[],
  manifests: string[],
  read: (file: string) => Promise<string>,
): Promise<string[]> {
  if (!steps.some(({ tool }) => tool === 'python')) return []
  const made = manifests.map(async file => {
    const folder = path.posix.dirname(file)
    return listVersionFiles(await read(file)).map(name => path.posix.join(folder, name))
  })
  return (await Promise.all(made)).flat().filter(file => !file.startsWith('../') && !file.startsWith('/'))
}

function stripPrefix(text: string, prefix: string): string[] {
  return text.startsWith(prefix) ? [text.slice(prefix.length)] : []
}

interface PackageTool {
  tool: string
  /** Any of these; the command gets all that exist. */
  lockfiles: string[]
  /** More files that it depends on, in the folder and below, if one of them is in the folder itself. */
  pattern?: RegExp
  buildCommand(names: string[], folder: ProjectFolder): Promise<string | undefined> | string | undefined
}

/** A project file may name 50. */
const MAX_MATCHES = 40

/** The steps of one folder: at most one for each tool. */
async function detectInFolder(folder: ProjectFolder): Promise<InstallStep[]> {
  const node = await chooseNodeInstall(folder)
  const steps = node ? [node] : []
  for (const { tool, lockfiles, pattern, buildCommand } of packageTools) {
    const matches = folder.files.filter(file => pattern?.test(file))
    const isHere = matches.some(file => !file.includes('/'))
    const names = [...lockfiles.filter(folder.has), ...(isHere ? matches.slice(0, MAX_MATCHES) : [])]
    if (names.length === 0 || steps.some(step => step.tool === tool)) continue
    const command = await buildCommand(names, folder)
    if (command === undefined) continue
    const isInPlace = tool === 'python' && command.includes(' -e ')
    const manifests = isInPlace ? ['pyproject.toml', 'setup.py'].filter(folder.has) : []
    steps.push({ tool, program: findToolProgram(command), command, lockfiles: [...new Set([...names, ...manifests])] })
  }
  return steps
}

/**
 * Fills Go's build cache, which each check gets a copy of; without it, each run of a check compiles the standard library and all
 * dependencies. `true` is run in place of the tests. Code that does not compile must not fail the setup: it may be the task.
 */
const compileGo = 'go test -exec true ./... || true'

/**
 * The first entry of a tool that matches is used, so a lock file comes before a list without versions. Maven and Gradle run the
 * tests once, because they fetch what runs tests only then, and a check has no network. Tests that fail do not fail the setup.
 */
const packageTools: PackageTool[] = [
  { tool: 'python', lockfiles: ['uv.lock'], buildCommand: () => 'uv sync --frozen' },
  {
    tool: 'python',
    lockfiles: ['poetry.lock'],
    buildCommand: () => 'POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction',
  },
  { tool: 'python', lockfiles: ['pdm.lock'], buildCommand: () => 'pdm sync --dev' },
  { tool: 'python', lockfiles: ['Pipfile.lock'], buildCommand: () => 'PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev' },
  {
    tool: 'python',
    lockfiles: ['requirements.txt', 'requirements-dev.txt', 'requirements-test.txt', 'dev-requirements.txt'],
    buildCommand: buildRequirementsInstall,
  },
  {
    tool: 'python',
    lockfiles: ['pyproject.toml'],
    buildCommand: async (_, { read }) => buildEditableInstall(await read('pyproject.toml')),
  },
  {
    tool: 'python',
    lockfiles: ['setup.py'],
    buildCommand: () => 'python3 -m venv .venv && .venv/bin/pip install -e .',
  },
  {
    tool: 'go',
    lockfiles: ['go.sum', 'go.mod'],
    buildCommand: (_, { has }) => (has('vendor/modules.txt') ? compileGo : `go mod download && (${compileGo})`),
  },
  { tool: 'rust', lockfiles: ['Cargo.lock'], buildCommand: () => 'cargo fetch --locked' },
  { tool: 'rust', lockfiles: ['Cargo.toml'], buildCommand: () => 'cargo fetch' },
  {
    tool: 'ruby',
    lockfiles: ['Gemfile.lock', 'Gemfile'],
    // The setting stays in .bundle, which every tree gets: without it `bundle exec` would search among the gems of the system.
    buildCommand: () => 'bundle config set --local path vendor/bundle && bundle install',
  },
  {
    tool: 'php',
    lockfiles: ['composer.lock', 'composer.json'],
    buildCommand: () => 'composer install --no-interaction',
  },
  {
    tool: 'java',
    lockfiles: ['pom.xml'],
    buildCommand: (_, { has }) => {
      const maven = `${has('mvnw') ? './mvnw' : 'mvn'} --batch-mode`
      return `${maven} dependency:go-offline && (${maven} --fail-at-end test || true)`
    },
  },
  {
    tool: 'java',
    lockfiles: ['gradle.lockfile', 'build.gradle', 'build.gradle.kts', 'settings.gradle', 'settings.gradle.kts'],
    buildCommand: (_, folder) => buildGradleInstall(folder),
  },
  { tool: 'dotnet', lockfiles: ['packages.lock.json'], buildCommand: () => 'dotnet restore --locked-mode' },
  {
    tool: 'dotnet',
    lockfiles: [],
    pattern: /\.(slnx?|[cf]sproj|vbproj)$|(^|\/)Directory\.[\w.]+\.props$/,
    buildCommand: names => {
      // Where a folder has several, dotnet must be told which one.
      const here = names.filter(name => !name.includes('/') && !name.endsWith('.props'))
      const [first] = [...here.filter(name => /\.slnx?$/.test(name)), ...here]
      if (first === undefined) return undefined
      return here.length === 1 ? 'dotnet restore' : `dotnet restore ${quoteForShell(first)}`
    },
  },
  {
    tool: 'elixir',
    lockfiles: ['mix.lock'],
    // The home of a setup is empty, and without a terminal mix does not ask whether it may install these.
    buildCommand: () => 'mix local.hex --force && mix local.rebar --force && mix deps.get',
  },
]

/** The program that installs: the one after assignments, or pip in its new environment. */
function findToolProgram(command: string): string {
  if (command.startsWith('python3 ')) return 'pip'
  return path.posix
    .basename(command.replace(/^(\w+=\S* )*/, '').split(' ')[0] ?? '')
    .replace(/^mvnw$/, 'mvn')
    .replace(/^gradlew$/, 'gradle')
}
