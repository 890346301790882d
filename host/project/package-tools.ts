import path from 'node:path'
import { quoteForShell } from '../shell-quote.ts'
import { buildGradleInstall } from './gradle-project.ts'
import type { Install, ProjectFolder } from './install-step.ts'
import { buildMavenInstall } from './maven-project.ts'
import {
  buildEditableInstall,
  buildPoetryInstall,
  buildRequirementsInstall,
  buildSetupInstall,
  buildUvInstall,
  requirementFiles,
} from './python-project.ts'

interface PackageTool {
  tool: string
  /** Any of these; the command gets all that exist. */
  lockfiles: string[]
  /** More names that count like them. */
  others?: RegExp
  buildInstall(names: string[], folder: ProjectFolder): Promise<Install | undefined> | Install | undefined
}

/**
 * Fills Go's build cache, which each check gets a copy of; without it, each run of a check compiles the standard library and all
 * dependencies. `true` is run in place of the tests. Code that does not compile must not fail the setup: it may be the task.
 */
const compileGo = 'go test -exec true ./... || true'

/** What names dependencies of .NET, in each project of a solution. */
const dotnetFiles = ['**/*.csproj', '**/*.fsproj', '**/*.vbproj', '**/Directory.*.props', '**/packages.lock.json']

/**
 * The first entry of a tool that matches is used, so a lock file comes before a list without versions. Maven and Gradle run the
 * tests once, because they fetch what runs tests only then, and a check has no network. Tests that fail do not fail the setup.
 */
export const packageTools: PackageTool[] = [
  { tool: 'python', lockfiles: ['uv.lock'], buildInstall: (_, folder) => buildUvInstall(folder) },
  {
    tool: 'python',
    lockfiles: ['poetry.lock'],
    buildInstall: (_, folder) => buildPoetryInstall(folder),
  },
  { tool: 'python', lockfiles: ['pdm.lock'], buildInstall: () => ({ command: 'pdm sync --dev' }) },
  {
    tool: 'python',
    lockfiles: ['Pipfile.lock'],
    buildInstall: () => ({ command: 'PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev' }),
  },
  {
    tool: 'python',
    lockfiles: requirementFiles,
    buildInstall: buildRequirementsInstall,
  },
  {
    tool: 'python',
    lockfiles: ['pyproject.toml'],
    buildInstall: (_, folder) => buildEditableInstall(folder),
  },
  {
    tool: 'python',
    lockfiles: ['setup.py'],
    buildInstall: (_, folder) => buildSetupInstall(folder),
  },
  {
    tool: 'go',
    lockfiles: ['go.sum', 'go.mod'],
    buildInstall: (_, { has }) => {
      if (has('vendor/modules.txt')) return { command: compileGo }
      return { command: 'go mod download', optional: compileGo, makes: has('go.sum') ? [] : ['go.sum'] }
    },
  },
  { tool: 'rust', lockfiles: ['Cargo.lock'], buildInstall: () => ({ command: 'cargo fetch --locked' }) },
  {
    tool: 'rust',
    lockfiles: ['Cargo.toml'],
    // Without the lock file that it writes, a check would look for versions again, and there is no network.
    buildInstall: () => ({ command: 'cargo fetch', patterns: ['**/Cargo.toml'], makes: ['Cargo.lock'] }),
  },
  {
    tool: 'ruby',
    lockfiles: ['Gemfile.lock', 'Gemfile'],
    // The setting stays in .bundle, which every tree gets: without it `bundle exec` would search among the gems of the system.
    buildInstall: (_, { has }) => ({
      command: 'bundle config set --local path vendor/bundle && bundle install',
      ...(has('Gemfile.lock') ? {} : { patterns: ['*.gemspec'], makes: ['Gemfile.lock'] }),
    }),
  },
  {
    tool: 'php',
    lockfiles: ['composer.lock', 'composer.json'],
    buildInstall: () => ({ command: 'composer install --no-interaction' }),
  },
  {
    tool: 'java',
    lockfiles: ['pom.xml'],
    buildInstall: (_, folder) => buildMavenInstall(folder),
  },
  {
    tool: 'java',
    lockfiles: ['gradle.lockfile', 'build.gradle', 'build.gradle.kts', 'settings.gradle', 'settings.gradle.kts'],
    buildInstall: (_, folder) => buildGradleInstall(folder),
  },
  {
    tool: 'dotnet',
    lockfiles: ['packages.lock.json'],
    buildInstall: () => ({ command: 'dotnet restore --locked-mode', patterns: dotnetFiles }),
  },
  {
    tool: 'dotnet',
    lockfiles: [],
    others: /^[^/]+\.(slnx?|[cf]sproj|vbproj)$/,
    buildInstall: names => {
      // Where a folder has several, dotnet must be told which one.
      const [first = ''] = [...names.filter(name => /\.slnx?$/.test(name)), ...names]
      const command = names.length === 1 ? 'dotnet restore' : `dotnet restore ${quoteForShell(first)}`
      return { command, patterns: dotnetFiles }
    },
  },
  {
    tool: 'elixir',
    lockfiles: ['mix.lock'],
    // The home of a setup is empty, and without a terminal mix does not ask whether it may install these.
    buildInstall: () => ({ command: 'mix local.hex --force && mix local.rebar --force && mix deps.get' }),
  },
]

/** The program that installs: the one after assignments, or pip in its new environment. */
export function findToolProgram(command: string): string {
  if (command.startsWith('python3 ')) return 'pip'
  return path.posix
    .basename(command.replace(/^(\w+=\S* )*/, '').split(' ')[0] ?? '')
    .replace(/^mvnw$/, 'mvn')
    .replace(/^gradlew$/, 'gradle')
}
