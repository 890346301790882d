import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pickVariables } from '../config/environment.ts'
import { resolveRealPath } from '../fs/files.ts'
import { isUnder } from '../sandbox/policy.ts'
import { toOneLine } from '../text.ts'
import { askProgram, type UserShell } from './ask.ts'
import { explainUnusable, isFolder } from './folders.ts'
import { expandState, listEntries } from './identity.ts'
import { createNamedKind, type ToolchainKind, toolchainKinds } from './known-tools.ts'
import { listSnapFolders } from './snaps.ts'
import type { Toolchain, Toolchains } from './toolchains.ts'

interface Search {
  /** Folders that agents or other people write: the repository and DISPATCH_HOME. */
  untrustedFolders: string[]
  environment?: NodeJS.ProcessEnv
}

/**
 * Find the toolchains of this shell. A variable that is set decides. Else the tool itself is asked where it lives; else the place
 * counts where it usually is. What agents could write, and what contains more than a toolchain, is not passed on.
 */
export function findToolchains(search: Search): Promise<Toolchains> {
  return findKinds(toolchainKinds, search)
}

/** Add the folders to which these variables lead, because the project names them. No program is asked. */
export async function addNamedToolchains(known: Toolchains, names: string[], search: Search): Promise<Toolchains> {
  const kinds = names.filter(name => known.found.every(({ variable }) => variable !== name)).map(createNamedKind)
  const { variables, found, problems } = await findKinds(kinds, search)
  return {
    variables: { ...variables, ...known.variables },
    found: [...known.found, ...found],
    problems: [...new Set([...known.problems, ...problems])],
  }
}

// --- internal ---

async function findKinds(
  kinds: ToolchainKind[],
  { untrustedFolders, environment = process.env }: Search,
): Promise<Toolchains> {
  const untrusted = untrustedFolders.flatMap(folder => [folder, resolveRealPath(folder)])
  const shell = { environment, home: environment['HOME'] || os.homedir(), untrusted }
  const results = await Promise.all(kinds.map(kind => locate(kind, shell)))
  const found = results.flatMap(result => ('folder' in result ? [describe(result.kind, result.folder, shell)] : []))
  const kindsFound = kinds.filter(({ name, places }) => places.length === 0 || found.some(other => other.name === name))
  const versions = await Promise.all(kindsFound.map(({ askPath }) => askPath && askProgram(shell, askPath)))
  const lines = versions.flatMap(reply => (reply?.exitCode === 0 ? reply.stdout.split('\n') : []))
  return {
    variables: {
      ...pickWords(kinds, environment),
      ...pickChoices(kindsFound, environment),
      ...Object.assign({}, ...kindsFound.map(kind => kind.settings)),
      ...Object.fromEntries(found.flatMap(({ variable, folder }) => (variable === null ? [] : [[variable, folder]]))),
      ...extendSearchPath(environment['PATH'] ?? '', lines.filter(isSearchable)),
    },
    found,
    problems: results.flatMap(result => ('problem' in result ? [result.problem] : [])),
  }
}

type Located = { kind: ToolchainKind } & ({ folder: string } | { problem: string } | { isAbsent: true })

async function locate(kind: ToolchainKind, shell: UserShell): Promise<Located> {
  const { variable = kind.name } = kind
  const result = await findFolder(kind, shell)
  const unusable = 'folder' in result ? explainUnusable(result.folder, shell) : undefined
  if (unusable === undefined || !('folder' in result)) return { kind, ...result }
  return { kind, problem: `${variable}: ${result.folder} ${unusable}, so it is not passed on` }
}

async function findFolder(kind: ToolchainKind, shell: UserShell) {
  const { name, variable = '', answer } = kind
  const value = shell.environment[variable]
  if (value && value === kind.word) return { isAbsent: true as const }
  if (value && path.isAbsolute(value) && isFolder(value)) return { folder: value }
  if (value) {
    const other = variable === name ? 'a folder that exists' : `the folder of ${name}`
    return { problem: `${variable} is ${toOneLine(value, 100)}, which is not a folder; set it to ${other}` }
  }
  const isUsed = (place: string) => isFolder(place) && listEntries(place).length > 0
  const usual = listPlaces(kind, shell)
  const [first] = kind.isAskedLast ? usual.filter(isUsed) : []
  if (first !== undefined) return { folder: first }
  const reply = kind.ask && (await askProgram(shell, kind.ask))
  const text = (answer ? answer.exec(reply?.stdout ?? '')?.[1] : reply?.stdout)?.trim() ?? ''
  const asked = reply?.exitCode === 0 && path.isAbsolute(text) ? [text] : []
  const folder = [...asked, ...usual].find(isUsed)
  if (folder !== undefined) return { folder }
  if (kind.ask === undefined || reply === undefined || asked.length > 0) return { isAbsent: true as const }
  const question = `\`${kind.ask.join(' ')}\``
  return { problem: `${question} does not say where ${name} is; set ${variable} in the shell that starts dispatch` }
}

/** Folders of a home that a variable moves. */
const movedFolders = [
  { usual: '.local/share', variable: 'XDG_DATA_HOME' },
  { usual: '.cache', variable: 'XDG_CACHE_HOME' },
]

function listPlaces({ places }: ToolchainKind, { home, environment }: UserShell): string[] {
  return places.map(place => {
    const moved = movedFolders.find(({ usual, variable }) => place.startsWith(`${usual}/`) && environment[variable])
    if (moved === undefined) return path.join(home, place)
    return path.join(environment[moved.variable] ?? '', path.relative(moved.usual, place))
  })
}

function describe(kind: ToolchainKind, folder: string, shell: UserShell): Toolchain {
  const links = kind.linkedVersions ? expandState(folder, [kind.linkedVersions]).map(resolveRealPath) : []
  const outside = links.filter(
    target =>
      isFolder(target) && !isUnder(target, resolveRealPath(folder)) && explainUnusable(target, shell) === undefined,
  )
  const homeFiles = (kind.homeFiles ?? []).filter(name => fs.existsSync(path.join(shell.home, name)))
  const readable = [...new Set(outside), ...homeFiles.map(name => path.join(shell.home, name))]
  return { name: kind.name, folder, variable: kind.variable ?? null, readable, homeFiles }
}

function pickChoices(kinds: ToolchainKind[], environment: NodeJS.ProcessEnv): Record<string, string> {
  const names = Object.keys(environment).filter(name => kinds.some(({ choices }) => choices?.test(name)))
  return pickVariables(names, environment)
}

function pickWords(kinds: ToolchainKind[], environment: NodeJS.ProcessEnv): Record<string, string> {
  const set = kinds.filter(({ variable = '', word }) => word !== undefined && environment[variable] === word)
  return pickVariables(
    set.flatMap(({ variable }) => variable ?? []),
    environment,
  )
}

/** PATH with these folders at its end, those of snaps, and without the link that fnm makes for one shell, which a logout removes. */
function extendSearchPath(searchPath: string, added: string[]): Record<string, string> {
  const folders = searchPath
    .split(path.delimiter)
    .map(folder => (folder.includes('/fnm_multishells/') ? resolveRealPath(folder) : folder))
    .flatMap(folder => [...listSnapFolders(folder), folder])
  const extended = [...folders, ...added.filter(folder => !folders.includes(folder))].join(path.delimiter)
  return extended === searchPath ? {} : { PATH: extended }
}

function isSearchable(line: string): boolean {
  return path.isAbsolute(line) && !line.includes(path.delimiter)
}
