import path from 'node:path'
import { runProgram } from '../exec.ts'
import { listIgnoredFiles, listTreeEntries, type RepositoryCommit, readBlob } from '../git/git.ts'
import { quoteForShell } from '../shell-quote.ts'
import { SECOND_MS } from '../time.ts'
import type { Project } from './schema.ts'

/** A proposed project file, and what it is based on. */
interface ProjectProposal {
  project: Pick<Project, 'setup' | 'lockfiles' | 'hosts' | 'files'>
  /** One line each, such as `package-lock.json: npm ci`. */
  reasons: string[]
}

/** Propose a project file by the lock files of a commit; undefined when no package tool is recognised. */
export async function proposeProject(repository: RepositoryCommit): Promise<ProjectProposal | undefined> {
  const files = (await listTreeEntries(repository)).map(entry => entry.path)
  const read = (file: string) => readBlob(repository, file)
  const steps = await detectInstallSteps(files, read)
  const ignored = (await listIgnoredFiles(repository.path)).filter(file => /(^|\/)\.env\.(test|testing|ci)$/.test(file))
  if (steps.length === 0 && ignored.length === 0) return undefined
  const hosts = await Promise.all(steps.map(step => listHosts(step, repository.path, read)))
  return {
    project: {
      setup: steps.map(({ command }) => command),
      lockfiles: [...new Set(steps.flatMap(({ lockfiles }) => lockfiles))],
      hosts: [...new Set(hosts.flat())].sort(),
      files: ignored,
    },
    reasons: [
      ...steps.map(({ command, lockfiles }) => `${lockfiles[0]}: ${command}`),
      ...ignored.map(file => `${file}: git ignores it, and tests are likely to need it`),
    ],
  }
}

/** A command that installs dependencies, and the files it depends on. */
interface InstallStep {
  tool: string
  command: string
  lockfiles: string[]
}

/** The install commands for the lock files at the top of a repository and one folder below. */
export async function detectInstallSteps(
  files: string[],
  read: (file: string) => Promise<string>,
): Promise<InstallStep[]> {
  const present = new Set(files)
  const folders = [...new Set(files.map(file => path.posix.dirname(file)))]
    .filter(folder => !/\/|^(node_modules|vendor|examples?|fixtures|tests?|docs?)$/.test(folder))
    .sort((a, b) => (a === '.' ? -1 : b === '.' ? 1 : a < b ? -1 : 1))
  const steps: InstallStep[] = []
  for (const folder of folders) {
    const resolve = (name: string) => path.posix.join(folder, name)
    const has = (name: string) => present.has(resolve(name))
    const toolsHere = new Set<string>()
    for (const { tool, lockfiles, buildCommand } of packageTools) {
      const names = lockfiles.filter(has)
      if (names.length === 0 || toolsHere.has(tool)) continue
      const command = await buildCommand(names, { has, read: name => read(resolve(name)) })
      if (command === undefined) continue
      toolsHere.add(tool)
      steps.push({
        tool,
        command: folder === '.' ? command : `cd ${quoteForShell(folder)} && ${command}`,
        lockfiles: names.map(resolve),
      })
    }
  }
  return steps
}

/** Python's index serves its files from another host, and it is the default when no host is named. Pure. */
export function addPythonFileHost(hosts: string[]): string[] {
  const [index, files] = ['pypi.org', 'files.pythonhosted.org']
  if (hosts.length > 0 && !hosts.includes(index)) return hosts
  return [...new Set([...hosts, index, files])]
}

// --- internal ---

interface PackageTool {
  tool: string
  /** Any of these; the command gets all that exist. */
  lockfiles: string[]
  buildCommand(names: string[], folder: ProjectFolder): Promise<string | undefined> | string | undefined
}

interface ProjectFolder {
  has(name: string): boolean
  read(name: string): Promise<string>
}

/** The first entry of a tool that matches is used, so a lock file comes before a list without versions. */
const packageTools: PackageTool[] = [
  { tool: 'node', lockfiles: ['pnpm-lock.yaml'], buildCommand: () => 'pnpm install --frozen-lockfile' },
  {
    tool: 'node',
    lockfiles: ['yarn.lock'],
    buildCommand: (_, { has }) => `yarn install ${has('.yarnrc.yml') ? '--immutable' : '--frozen-lockfile'}`,
  },
  { tool: 'node', lockfiles: ['bun.lock', 'bun.lockb'], buildCommand: () => 'bun install --frozen-lockfile' },
  { tool: 'node', lockfiles: ['package-lock.json', 'npm-shrinkwrap.json'], buildCommand: () => 'npm ci' },
  { tool: 'python', lockfiles: ['uv.lock'], buildCommand: () => 'uv sync --frozen' },
  {
    tool: 'python',
    lockfiles: ['poetry.lock'],
    buildCommand: () => 'POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction',
  },
  { tool: 'python', lockfiles: ['Pipfile.lock'], buildCommand: () => 'PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev' },
  {
    tool: 'python',
    lockfiles: ['requirements.txt', 'requirements-dev.txt', 'requirements-test.txt', 'dev-requirements.txt'],
    buildCommand: names =>
      `python3 -m venv .venv && .venv/bin/pip install ${names.map(name => `-r ${name}`).join(' ')}`,
  },
  {
    tool: 'python',
    lockfiles: ['pyproject.toml'],
    buildCommand: async (_, { read }) => buildEditableInstall(await read('pyproject.toml')),
  },
  { tool: 'go', lockfiles: ['go.sum', 'go.mod'], buildCommand: () => 'go mod download' },
  { tool: 'rust', lockfiles: ['Cargo.lock'], buildCommand: () => 'cargo fetch --locked' },
  { tool: 'ruby', lockfiles: ['Gemfile.lock'], buildCommand: () => 'BUNDLE_PATH=vendor/bundle bundle install' },
  { tool: 'php', lockfiles: ['composer.lock'], buildCommand: () => 'composer install --no-interaction' },
]

/** A project that is itself a package is installed in place, with the extras for its tests. */
function buildEditableInstall(pyproject: string): string | undefined {
  if (!/^\[(project|build-system)\]/m.test(pyproject)) return undefined
  const [, extras = ''] = /^\[project\.optional-dependencies\]\s*\n([\s\S]*?)(?=^\[|$(?![\s\S]))/m.exec(pyproject) ?? []
  const testExtras = ['dev', 'test', 'tests'].filter(name => new RegExp(`^\\s*"?${name}"?\\s*=`, 'm').test(extras))
  return `python3 -m venv .venv && .venv/bin/pip install -e '.${testExtras.length > 0 ? `[${testExtras.join(',')}]` : ''}'`
}

const MAX_HOSTS = 20

/** The hosts that a step is likely to reach: those in its lock files, and the registry that its tool is set to. */
async function listHosts(
  { tool, lockfiles }: InstallStep,
  cwd: string,
  read: (file: string) => Promise<string>,
): Promise<string[]> {
  const texts = await Promise.all(lockfiles.map(read))
  const command = registryCommands[tool]
  if (command !== undefined) {
    const [program, ...args] = command
    const result = await runProgram(program, args, { cwd, timeoutMs: 15 * SECOND_MS })
    if (result.exitCode === 0) texts.push(result.stdout)
  }
  const hosts = [...new Set(texts.flatMap(findHosts))].slice(0, MAX_HOSTS)
  return tool === 'python' ? addPythonFileHost(hosts) : hosts
}

/** The hosts of the addresses in a text, without a user or password. */
function findHosts(text: string): string[] {
  return [...text.matchAll(/\bhttps?:\/\/(?:[^/@\s"']*@)?([A-Za-z0-9.-]+(?::\d+)?)/g)].map(([, host = '']) => host)
}

/** The command that prints the registry of a tool. */
const registryCommands: Record<string, [program: string, ...args: string[]]> = {
  node: ['npm', 'config', 'get', 'registry'],
  python: [
    'python3',
    '-c',
    'import os; from pip._internal.models.index import PyPI; print(os.environ.get("PIP_INDEX_URL") or PyPI.url)',
  ],
  go: ['go', 'env', 'GOPROXY'],
}
