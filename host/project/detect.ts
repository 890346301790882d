import path from 'node:path'
import { runProgram } from '../exec.ts'
import { listIgnoredFiles, listTreeEntries, readBlob, type UserRepository } from '../git/git.ts'
import type { Project } from './schema.ts'

/** A proposal for a project file, and what it was made from. */
interface ProjectProposal {
  project: Pick<Project, 'setup' | 'lockfiles' | 'hosts' | 'files'>
  /** `package-lock.json: npm ci`, one a line. */
  reasons: string[]
}

/** Look at the files of a commit and propose what it takes to have its dependencies; undefined when nothing is recognised. */
export async function proposeProject(
  repository: Pick<UserRepository, 'path' | 'commit'>,
): Promise<ProjectProposal | undefined> {
  const files = (await listTreeEntries(repository)).map(entry => entry.path)
  const read = (file: string) => readBlob(repository, file)
  const found = await detectInstallSteps(files, read)
  const ignored = (await listIgnoredFiles(repository.path)).filter(file => /(^|\/)\.env\.(test|testing|ci)$/.test(file))
  if (found.length === 0 && ignored.length === 0) return undefined
  const hosts = new Set<string>()
  for (const step of found) for (const host of await listHosts(step, repository, read)) hosts.add(host)
  return {
    project: {
      setup: found.map(({ command }) => command),
      lockfiles: [...new Set(found.flatMap(({ lockfiles }) => lockfiles))],
      hosts: [...hosts].sort(),
      files: ignored,
    },
    reasons: [
      ...found.map(({ command, lockfiles }) => `${lockfiles[0]}: ${command}`),
      ...ignored.map(file => `${file}: git ignores it, and tests are likely to need it`),
    ],
  }
}

/** One command, and the files it depends on. */
interface InstallStep {
  tool: string
  command: string
  lockfiles: string[]
}

/** What the files of a repository ask for, at the top and one folder below. */
export async function detectInstallSteps(
  files: string[],
  read: (file: string) => Promise<string>,
): Promise<InstallStep[]> {
  const here = new Set(files)
  const folders = [...new Set(files.map(file => path.posix.dirname(file)))]
    .filter(
      folder =>
        folder === '.' ||
        (!folder.includes('/') && !/^(node_modules|vendor|examples?|fixtures|tests?|docs?)$/.test(folder)),
    )
    .sort((a, b) => (a === '.' ? -1 : b === '.' ? 1 : a < b ? -1 : 1))
  const steps: InstallStep[] = []
  for (const folder of folders) {
    for (const kind of packageTools) {
      const names = kind.lockfiles.filter(name => here.has(path.posix.join(folder, name)))
      const [first] = names
      if (
        first === undefined ||
        steps.some(step => step.tool === kind.tool && path.posix.dirname(step.lockfiles[0] ?? '') === folder)
      )
        continue
      const at = (name: string) => path.posix.join(folder, name)
      const command = await kind.command(names, { has: name => here.has(at(name)), read: name => read(at(name)) })
      if (command === undefined) continue
      steps.push({
        tool: kind.tool,
        command: folder === '.' ? command : `cd ${folder} && ${command}`,
        lockfiles: names.map(at),
      })
    }
  }
  return steps
}

// --- internal ---

interface PackageTool {
  tool: string
  /** Any of these; all that are there count. */
  lockfiles: string[]
  command(names: string[], folder: Folder): Promise<string | undefined> | string | undefined
}

interface Folder {
  has(name: string): boolean
  read(name: string): Promise<string>
}

/** The first kind of a tool that fits is taken: a lock file before a list without versions. */
const packageTools: PackageTool[] = [
  { tool: 'node', lockfiles: ['pnpm-lock.yaml'], command: () => 'pnpm install --frozen-lockfile' },
  {
    tool: 'node',
    lockfiles: ['yarn.lock'],
    command: (_, { has }) => `yarn install ${has('.yarnrc.yml') ? '--immutable' : '--frozen-lockfile'}`,
  },
  { tool: 'node', lockfiles: ['bun.lock', 'bun.lockb'], command: () => 'bun install --frozen-lockfile' },
  { tool: 'node', lockfiles: ['package-lock.json', 'npm-shrinkwrap.json'], command: () => 'npm ci' },
  { tool: 'python', lockfiles: ['uv.lock'], command: () => 'uv sync --frozen' },
  {
    tool: 'python',
    lockfiles: ['poetry.lock'],
    command: () => 'POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction',
  },
  { tool: 'python', lockfiles: ['Pipfile.lock'], command: () => 'PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev' },
  {
    tool: 'python',
    lockfiles: ['requirements.txt', 'requirements-dev.txt', 'requirements-test.txt', 'dev-requirements.txt'],
    command: names => `python3 -m venv .venv && .venv/bin/pip install ${names.map(name => `-r ${name}`).join(' ')}`,
  },
  {
    tool: 'python',
    lockfiles: ['pyproject.toml'],
    command: async (_, { read }) => buildEditableInstall(await read('pyproject.toml')),
  },
  { tool: 'go', lockfiles: ['go.sum', 'go.mod'], command: () => 'go mod download' },
  { tool: 'rust', lockfiles: ['Cargo.lock'], command: () => 'cargo fetch --locked' },
  { tool: 'ruby', lockfiles: ['Gemfile.lock'], command: () => 'BUNDLE_PATH=vendor/bundle bundle install' },
  { tool: 'php', lockfiles: ['composer.lock'], command: () => 'composer install --no-interaction' },
]

/** A project that is a package of its own is installed in place, with the extras for its tests. */
function buildEditableInstall(text: string): string | undefined {
  if (!/^\[(project|build-system)\]/m.test(text)) return undefined
  const [, extras = ''] = /^\[project\.optional-dependencies\]\s*\n([\s\S]*?)(?=^\[|$(?![\s\S]))/m.exec(text) ?? []
  const known = ['dev', 'test', 'tests'].filter(name => new RegExp(`^\\s*"?${name}"?\\s*=`, 'm').test(extras))
  return `python3 -m venv .venv && .venv/bin/pip install -e '.${known.length > 0 ? `[${known.join(',')}]` : ''}'`
}

/** The hosts a step is likely to reach: those its lock file names, and the one the tool is set to. Only Python's index is known by name, see `withFiles`. */
async function listHosts(
  { tool, lockfiles }: InstallStep,
  repository: Pick<UserRepository, 'path'>,
  read: (file: string) => Promise<string>,
): Promise<string[]> {
  const named: string[] = []
  for (const file of lockfiles) {
    const text = await read(file)
    for (const [, host = ''] of text.matchAll(/\bhttps?:\/\/(?:[^/@\s"']*@)?([A-Za-z0-9.-]+(?::\d+)?)/g))
      named.push(host)
  }
  const asked = registryCommands[tool]
  const ran = asked
    ? await runProgram(asked[0] ?? '', asked.slice(1), { cwd: repository.path, timeoutMs: 15_000 })
    : undefined
  const set =
    ran?.exitCode === 0 ? [...ran.stdout.matchAll(/https?:\/\/(?:[^/@\s"']*@)?([A-Za-z0-9.-]+(?::\d+)?)/g)] : []
  const hosts = [...new Set([...named.slice(0, 20_000), ...set.map(([, host = '']) => host)])].slice(0, 20)
  return tool === 'python' ? addPythonFileHost(hosts) : hosts
}

/** Python's own index has its files on another host; and it is asked where nothing else is said. Pure. */
export function addPythonFileHost(hosts: string[]): string[] {
  const [index, files] = ['pypi.org', 'files.pythonhosted.org']
  if (hosts.length > 0 && !hosts.includes(index)) return hosts
  return [...new Set([...hosts, index, files])]
}

/** How a tool is asked where it fetches from. */
const registryCommands: Record<string, string[]> = {
  node: ['npm', 'config', 'get', 'registry'],
  python: [
    'python3',
    '-c',
    'import os; from pip._internal.models.index import PyPI; print(os.environ.get("PIP_INDEX_URL") or PyPI.url)',
  ],
  go: ['go', 'env', 'GOPROXY'],
}
