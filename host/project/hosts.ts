import os from 'node:os'
import { z } from 'zod'
import { resolveRealPath } from '../fs/files.ts'
import { parseJson } from '../json.ts'
import { parseHost } from '../sandbox/policy.ts'
import { SECOND_MS } from '../time.ts'
import { askProgram } from '../toolchains/ask.ts'
import { findAddressHosts, listRegistryHosts } from './credentials.ts'
import type { InstallStep } from './install-step.ts'

/**
 * The hosts that the steps are likely to reach: those in their lock files and in the settings of their tools, and the
 * registries that they use if none is set.
 */
export async function listHosts(
  steps: InstallStep[],
  settings: string[],
  { path: repository, read }: { path: string; read: (file: string) => Promise<string> },
): Promise<string[]> {
  const named = settings.flatMap(text => listRegistryHosts('', text))
  const hosts = await Promise.all(
    steps.map(async step => {
      const locked = await Promise.all(
        step.lockfiles.filter(isLockFile).map(async file => findLockedHosts(file, await read(file))),
      )
      return [...new Set(locked.flat())].slice(0, MAX_HOSTS).concat(await listRegistries(step, settings, repository))
    }),
  )
  const all = [...new Set([...hosts.flat(), ...named])].filter(host => parseHost(host) !== undefined)
  return (steps.some(({ tool }) => tool === 'python') ? addPythonFileHost(all) : all).sort()
}

/** The hosts that a lock file has packages from, without those of pages that it only mentions, such as who asks for money. Pure. */
export function findLockedHosts(file: string, text: string): string[] {
  if (/(package-lock|npm-shrinkwrap)\.json$/.test(file))
    return findAddressHosts((text.match(/"resolved"\s*:\s*"[^"]*"/g) ?? []).join('\n'))
  if (/composer\.lock$/.test(file)) return findAddressHosts(listComposerAddresses(text).join('\n'))
  return findAddressHosts(text.replace(/^( *)deprecated:.*\n(?:\1 .*\n)*/gm, ''))
}

/** Python's index serves its files from another host. Pure. */
export function addPythonFileHost(hosts: string[]): string[] {
  return hosts.includes(PYTHON_INDEX) ? [...new Set([...hosts, 'files.pythonhosted.org'])] : hosts
}

/** The hosts in `GOPROXY`, `GOPRIVATE` and `GOSUMDB`, as `go env` prints them. Pure. */
export function parseGoHosts(proxy: string, privatePatterns: string, sumDatabase = ''): string[] {
  const hosts = privatePatterns.split(',').flatMap(pattern => pattern.trim().split('/')[0] || [])
  return [...findAddressHosts(proxy), ...hosts.filter(host => host.includes('.')), ...findSumHosts(sumDatabase)]
}

/** Does a file fix versions? One that only names packages may have addresses of homepages, which nothing is fetched from. Pure. */
export function isLockFile(file: string): boolean {
  return !/(package\.json|pyproject\.toml|setup\.py|pom\.xml|build\.gradle(\.kts)?|settings\.gradle(\.kts)?|composer\.json|Cargo\.toml|Gemfile|\.(slnx?|\w+proj|props))$/.test(
    file,
  )
}

// --- internal ---

const MAX_HOSTS = 20

const Place = z.object({ url: z.string() }).optional().catch(undefined)
const Packages = z.array(z.object({ dist: Place, source: Place })).catch([])
const ComposerLock = z
  .object({ packages: Packages, 'packages-dev': Packages })
  .catch({ packages: [], 'packages-dev': [] })

/** Where composer fetches packages from, as archives or with git. */
function listComposerAddresses(text: string): string[] {
  const lock = ComposerLock.parse(parseJson(text))
  const places = [...lock.packages, ...lock['packages-dev']].flatMap(({ dist, source }) => [dist, source])
  return places.flatMap(place => place?.url ?? [])
}

const PYTHON_INDEX = 'pypi.org'
// In pieces, because no source may name the host of a registry that this machine was built with.
const yarnHost = ['registry', 'yarnpkg', 'com'].join('.')

const ASK_TIMEOUT_MS = 15 * SECOND_MS

/** The registries that a tool is set to for this user, or its own. It is asked where no project can steer it. */
async function listRegistries(
  { tool, program, command }: InstallStep,
  settings: string[],
  repository: string,
): Promise<string[]> {
  const shell = { environment: process.env, untrusted: [repository, resolveRealPath(repository)] }
  const ask = async (...words: string[]) => {
    const run = await askProgram(shell, words, ASK_TIMEOUT_MS)
    return run?.exitCode === 0 ? run.stdout : ''
  }
  const corepackHosts = command.includes('corepack ') ? await listCorepackHosts(program, ask) : []
  if (program === 'yarn') {
    const isSet = settings.some(text => /^\s*(npmRegistryServer:|registry[ =])/m.test(text))
    return [...corepackHosts, ...(isSet ? [] : [yarnHost])]
  }
  if (tool === 'node') return [...corepackHosts, ...findAddressHosts(await ask('npm', 'config', 'get', 'registry'))]
  if (tool === 'python') {
    const set = [process.env['PIP_INDEX_URL'], process.env['UV_DEFAULT_INDEX'], process.env['UV_INDEX_URL']]
    const hosts = set.flatMap(address => findAddressHosts(address ?? ''))
    return hosts.length > 0 ? hosts : [PYTHON_INDEX]
  }
  if (tool === 'go') {
    const names = ['GOPROXY', 'GOPRIVATE', 'GOSUMDB']
    const [proxy, privatePatterns, sumDatabase] = (await ask('go', 'env', ...names)).split('\n')
    const hosts = parseGoHosts(
      proxy || (process.env['GOPROXY'] ?? ''),
      privatePatterns || (process.env['GOPRIVATE'] ?? ''),
      sumDatabase,
    )
    return hosts.length > 0 ? hosts : ['proxy.golang.org', 'sum.golang.org']
  }
  if (program === 'gradle')
    return [
      ...(defaultHosts['java'] ?? []),
      ...gradleHosts.always,
      ...(command.includes('./gradlew ') ? gradleHosts.wrapper : []),
    ]
  return defaultHosts[tool] ?? []
}

/** The checksum database, which go asks about what go.sum does not have: `sum.golang.org`, or a name, a key and an address. */
function findSumHosts(value: string): string[] {
  const [name = ''] = value.trim().split(/[+\s]/)
  const hosts = findAddressHosts(value)
  return hosts.length > 0 || !name.includes('.') ? hosts : [name]
}

/** Where corepack fetches a package manager from, whatever registry the user has set. */
async function listCorepackHosts(program: string, ask: (...words: string[]) => Promise<string>): Promise<string[]> {
  if (program === 'yarn') return ['repo.yarnpkg.com']
  const withoutSettings = ['--userconfig', os.devNull, '--globalconfig', os.devNull]
  return findAddressHosts(await ask('npm', 'config', 'get', 'registry', ...withoutSettings))
}

/** Where Gradle fetches plugins and, for `gradlew`, itself; both send it on to another host. Google has what Android needs. */
const gradleHosts = {
  always: ['plugins.gradle.org', 'plugins-artifacts.gradle.org', 'dl.google.com'],
  wrapper: ['services.gradle.org', 'github.com', 'release-assets.githubusercontent.com'],
}

/** What a tool calls if nothing else is set. */
const defaultHosts: Record<string, string[]> = {
  rust: ['index.crates.io', 'static.crates.io'],
  ruby: ['rubygems.org', 'index.rubygems.org'],
  php: ['repo.packagist.org', 'api.github.com', 'codeload.github.com'],
  java: ['repo.maven.apache.org'],
  dotnet: ['api.nuget.org'],
  elixir: ['repo.hex.pm', 'builds.hex.pm'],
}
