import path from 'node:path'
import { findProgram } from '../exec.ts'
import { resolveRealPath } from '../fs/files.ts'
import { SECOND_MS } from '../time.ts'
import { askProgram } from '../toolchains/ask.ts'
import type { Install, InstallStep, ProjectFolder } from './install-step.ts'

/** Lists of what to install, of which all that exist are used. */
export const requirementFiles = [
  ...['requirements.txt', 'requirements-dev.txt', 'requirements-test.txt', 'requirements-tests.txt'],
  ...['requirements_dev.txt', 'requirements_test.txt', 'dev-requirements.txt', 'test-requirements.txt'],
  ...['requirements/dev.txt', 'requirements/test.txt', 'requirements/tests.txt'],
]

/** Install what uv.lock fixes, with what the tests need. The group `dev` is installed without being named. */
export async function buildUvInstall({ has, read }: ProjectFolder): Promise<Install> {
  const pyproject = has('pyproject.toml') ? await read('pyproject.toml') : ''
  const extras = listTestNames(pyproject, 'project.optional-dependencies').map(name => ` --extra ${name}`)
  const groups = listTestNames(pyproject, 'dependency-groups').filter(name => name !== 'dev')
  return { command: ['uv sync --frozen', ...extras, ...groups.map(name => ` --group ${name}`)].join('') }
}

/** Poetry installs all groups that are not optional, and no extras. */
export async function buildPoetryInstall({ has, read }: ProjectFolder): Promise<Install> {
  const pyproject = has('pyproject.toml') ? await read('pyproject.toml') : ''
  const names = ['project.optional-dependencies', 'tool.poetry.extras'].flatMap(table =>
    listTestNames(pyproject, table),
  )
  const extras = [...new Set(names)].map(name => ` --extras ${name}`).join('')
  return { command: `POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction${extras}` }
}

/** Install a project that is itself a package in place, with what its tests need; undefined for any other. */
export async function buildEditableInstall(folder: ProjectFolder): Promise<Install | undefined> {
  const pyproject = await folder.read('pyproject.toml')
  // Only Poetry knows what stands there, and without a lock file too.
  if (/^\[tool\.poetry\.(group\.|dev-dependencies\])/m.test(pyproject)) return buildPoetryInstall(folder)
  const command = formatEditableInstall(pyproject)
  return command === undefined ? undefined : { command }
}

/** Install the package of a `setup.py` in place, with what its tests need. */
export async function buildSetupInstall(folder: ProjectFolder): Promise<Install> {
  return { command: `python3 -m venv .venv && .venv/bin/pip install -e ${formatPlace(await listPlaceExtras(folder))}` }
}

/** Install requirements, and the project itself where it is a package and none of the files says so. */
export async function buildRequirementsInstall(names: string[], folder: ProjectFolder): Promise<Install> {
  const { has, read } = folder
  const requirements = `python3 -m venv .venv && .venv/bin/pip install ${names.map(name => `-r ${name}`).join(' ')}`
  const lockfiles = await listIncluded(names, folder)
  const texts = await Promise.all(lockfiles.map(name => read(name)))
  const pyproject = has('pyproject.toml') ? await read('pyproject.toml') : ''
  const isPackage =
    has('setup.py') || (/^\[build-system\]/m.test(pyproject) && !/^package-mode *= *false/m.test(pyproject))
  const isNamed = texts.some(text =>
    /^[ \t]*(?:-e|--editable)?[ =]*["']?(?:\.|file:\.)(?:\[[^\]]*\])?["']?\s*(?:#.*)?$/m.test(text),
  )
  if (!isPackage || isNamed) return { command: requirements, lockfiles }
  const place = formatPlace(await listPlaceExtras(folder))
  return { command: `${requirements} && .venv/bin/pip install -e ${place}`, lockfiles }
}

/**
 * What an installation in place of a package with compiled parts writes beside the sources, and what these are made from: a check needs
 * the parts, and those of its own sources. Empty for other packages.
 */
export async function findExtension({
  has,
  files,
  read,
}: ProjectFolder): Promise<Pick<Install, 'patterns' | 'makes' | 'remark'>> {
  const texts = await Promise.all(['pyproject.toml', 'setup.py', 'setup.cfg'].filter(has).map(name => read(name)))
  const text = texts.join('\n')
  if (/\b(mesonpy|scikit_build_core)\b/.test(text)) return { remark: REBUILT_REMARK }
  if (!/\b(ext_modules|ext-modules|Extension|cythonize|RustExtension|maturin|cffi_modules)\b/.test(text)) return {}
  const kinds = sourceKinds.filter(kind => files.some(file => file.endsWith(`.${kind}`)))
  if (kinds.length === 0) return {}
  return { patterns: kinds.map(kind => `**/*.${kind}`), makes: ['**/*.so', '**/*.pyd'] }
}

/**
 * The step as it runs here: where uv is not installed, pip installs the project, if `python3` can make environments. It does not
 * know the versions of uv.lock.
 */
export async function replaceUv(
  step: InstallStep,
  read: (file: string) => Promise<string>,
  machine: { isInstalled(name: string): boolean; makesEnvironments(): Promise<boolean> },
): Promise<InstallStep> {
  const [lockfile = ''] = step.lockfiles
  if (step.program !== 'uv' || machine.isInstalled('uv') || !(await machine.makesEnvironments())) return step
  const pyproject = path.posix.join(path.posix.dirname(lockfile), 'pyproject.toml')
  const install = formatEditableInstall(await read(pyproject).catch(() => ''))
  if (install === undefined) return step
  const command = step.command.replace(/uv sync --frozen.*$/, () => install)
  return { ...step, program: 'pip', command, lockfiles: [lockfile, pyproject], remark: UV_REMARK }
}

/** This machine, for a repository none of whose programs may run. */
export function describePythonMachine(repository: string): Parameters<typeof replaceUv>[2] {
  const shell = { environment: process.env, untrusted: [repository, resolveRealPath(repository)] }
  return {
    isInstalled: name => findProgram(name) !== '',
    // Debian has venv without ensurepip, which is in a package of its own.
    makesEnvironments: async () => {
      const run = await askProgram(shell, ['python3', '-c', 'import venv, ensurepip'], ASK_TIMEOUT_MS)
      return run?.exitCode === 0
    },
  }
}

// --- internal ---

const ASK_TIMEOUT_MS = 10 * SECOND_MS

const UV_REMARK =
  'uv is not on this machine, so pip installs, and not the versions of uv.lock. Better: `pipx install uv`, and `dispatch prepare` again without this file'

const REBUILT_REMARK =
  'its compiled parts are built in a folder that checks do not get: let each check build them, or name the folder under "makes" and its sources under "lockfiles"'

const sourceKinds = ['pyx', 'pxd', 'pxi', 'c', 'cc', 'cpp', 'cxx', 'h', 'hpp', 'rs']

/** Pip knows dependency groups since 25.1, and a new environment may have an older one. */
function formatEditableInstall(pyproject: string): string | undefined {
  if (!/^\[(project|build-system)\]/m.test(pyproject)) return undefined
  const extras = listTestNames(pyproject, 'project.optional-dependencies')
  const groups = listTestNames(pyproject, 'dependency-groups').map(name => ` --group ${name}`)
  const install = `.venv/bin/pip install -e '.${extras.length > 0 ? `[${extras.join(',')}]` : ''}'${groups.join('')}`
  return ['python3 -m venv .venv', ...(groups.length > 0 ? [".venv/bin/pip install 'pip>=25.1'"] : []), install].join(
    ' && ',
  )
}

/** The folder for pip, with extras. */
function formatPlace(extras: string[]): string {
  return extras.length > 0 ? `'.[${extras.join(',')}]'` : '.'
}

/** The extras of a package that are usual for tests, wherever it names them. */
async function listPlaceExtras({ has, read }: ProjectFolder): Promise<string[]> {
  const text = async (name: string) => (has(name) ? await read(name) : '')
  const [, inScript = ''] = /\bextras_require\s*=\s*(?:\{|dict\()([\s\S]*)/.exec(await text('setup.py')) ?? []
  const names = [
    ...listTestNames(await text('pyproject.toml'), 'project.optional-dependencies'),
    ...listTestNames(await text('setup.cfg'), 'options.extras_require'),
    ...testNames.filter(name => new RegExp(`(?:["']${name}["']\\s*:|\\b${name}\\s*=)\\s*[\\[(]`).test(inScript)),
  ]
  return [...new Set(names)]
}

/** These files of requirements, and those that they name by `-r` and `-c`, as far as they exist. */
async function listIncluded(names: string[], { has, read }: ProjectFolder): Promise<string[]> {
  const found = new Set(names)
  for (const name of found) {
    if (found.size > MAX_INCLUDED_COUNT) break
    const text = await read(name)
    for (const [, other = ''] of text.matchAll(/^\s*(?:-r|--requirement|-c|--constraint)[ =]*([^\s#]+)/gm)) {
      const file = path.posix.join(path.posix.dirname(name), other)
      if (has(file)) found.add(file)
    }
  }
  return [...found]
}

const MAX_INCLUDED_COUNT = 20

const testNames = ['dev', 'test', 'tests']

/** Those names of a table that are usual for what the tests need. */
function listTestNames(pyproject: string, table: string): string[] {
  const header = `^\\[${table.replaceAll('.', '\\.')}\\]\\s*\\n`
  const [, names = ''] = new RegExp(`${header}([\\s\\S]*?)(?=^\\[|$(?![\\s\\S]))`, 'm').exec(pyproject) ?? []
  return testNames.filter(name => new RegExp(`^\\s*"?${name}"?\\s*=`, 'm').test(names))
}
