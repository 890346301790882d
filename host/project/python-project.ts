import path from 'node:path'
import { findProgram } from '../exec.ts'
import { resolveRealPath } from '../fs/files.ts'
import { SECOND_MS } from '../time.ts'
import { askProgram } from '../toolchains/ask.ts'
import type { InstallStep, ProjectFolder } from './install-step.ts'

/**
 * Install a project that is itself a package in place, with what its tests need; undefined for any other. Pip knows dependency
 * groups since 25.1, and a new environment may have an older one. Pure.
 */
export function buildEditableInstall(pyproject: string): string | undefined {
  if (!/^\[(project|build-system)\]/m.test(pyproject)) return undefined
  const extras = listTestNames(pyproject, 'project.optional-dependencies')
  const groups = listTestNames(pyproject, 'dependency-groups').map(name => ` --group ${name}`)
  const install = `.venv/bin/pip install -e '.${extras.length > 0 ? `[${extras.join(',')}]` : ''}'${groups.join('')}`
  return ['python3 -m venv .venv', ...(groups.length > 0 ? [".venv/bin/pip install 'pip>=25.1'"] : []), install].join(
    ' && ',
  )
}

/** Install requirements, and the project itself where it is a package and none of the files says so. */
export async function buildRequirementsInstall(names: string[], { has, read }: ProjectFolder): Promise<string> {
  const requirements = `python3 -m venv .venv && .venv/bin/pip install ${names.map(name => `-r ${name}`).join(' ')}`
  const texts = await Promise.all(names.map(name => read(name)))
  const pyproject = has('pyproject.toml') ? await read('pyproject.toml') : ''
  const isPackage =
    has('setup.py') || (/^\[build-system\]/m.test(pyproject) && !/^package-mode *= *false/m.test(pyproject))
  const isNamed = texts.some(text =>
    /^[ \t]*(?:-e|--editable)?[ =]*["']?(?:\.|file:\.)(?:\[[^\]]*\])?["']?\s*(?:#.*)?$/m.test(text),
  )
  return isPackage && !isNamed ? `${requirements} && .venv/bin/pip install -e .` : requirements
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
  const install = buildEditableInstall(await read(pyproject).catch(() => ''))
  if (install === undefined) return step
  const command = step.command.replace(/uv sync --frozen$/, () => install)
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

/** Those names of a table that are usual for what the tests need. */
function listTestNames(pyproject: string, table: string): string[] {
  const header = `^\\[${table.replace('.', '\\.')}\\]\\s*\\n`
  const [, names = ''] = new RegExp(`${header}([\\s\\S]*?)(?=^\\[|$(?![\\s\\S]))`, 'm').exec(pyproject) ?? []
  return ['dev', 'test', 'tests'].filter(name => new RegExp(`^\\s*"?${name}"?\\s*=`, 'm').test(names))
}
