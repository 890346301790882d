import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pickVariables } from '../config/environment.ts'
import { findProgram, type RunResult, runProgram } from '../exec.ts'
import { isUnder } from '../sandbox/policy.ts'
import { toOneLine } from '../text.ts'
import { SECOND_MS } from '../time.ts'
import { expandState, listEntries } from './identity.ts'
import { createNamedKind, type ToolchainKind, toolchainKinds } from './table.ts'
import type { Toolchain, Toolchains } from './toolchains.ts'

interface Search {
  /** Folders that agents or other people write: the repository and DISPATCH_HOME. No program in them is run. */
  untrustedFolders: string[]
  /** Variables that the project names, each of which leads to a toolchain. */
  names?: string[] | undefined
  environment?: NodeJS.ProcessEnv
  run?: typeof runProgram
}

/**
 * Find the toolchains of this shell. A variable that is set decides. Else the tool itself is asked, from `/`, where no file of a
 * project can steer it, in the user's own environment; else the place where it usually is.
 */
export async function findToolchains({
  untrustedFolders,
  names = [],
  environment = process.env,
  run = runProgram,
}: Search): Promise<Toolchains> {
  const home = environment['HOME'] || os.homedir()
  const untrusted = untrustedFolders.flatMap(folder => [folder, resolveRealPath(folder) ?? folder])
  const searchPath = filterSearchPath(environment['PATH'] ?? '', untrusted)
  const ask = (command: string[]) => askProgram(command, { untrusted, searchPath, environment, run })
  const kinds = [...toolchainKinds, ...names.map(createNamedKind)]
  const results = await Promise.all(
    kinds.map(kind => locate(kind, { home, environment, ask, mustBeSet: names.includes(kind.name) })),
  )
  const found = results.flatMap(({ kind, folder }) => {
    if (folder === undefined || explainUnusable(folder, home, untrusted) !== undefined) return []
    return [describe(kind, folder, home, untrusted)]
  })
  const problems = results.flatMap(({ kind, folder, problem }) => {
    const unusable = folder === undefined ? undefined : explainUnusable(folder, home, untrusted)
    const name = kind.variable ?? kind.name
    return problem ?? (unusable === undefined ? [] : `${name}: ${folder} ${unusable}, so it is not handed on`)
  })
  const isFound = (kind: ToolchainKind) => kind.places.length === 0 || found.some(({ name }) => name === kind.name)
  const kindsFound = kinds.filter(isFound)
  const paths = await Promise.all(kindsFound.map(kind => (kind.askPath ? ask(kind.askPath) : undefined)))
  return {
    variables: {
      ...pickChoices(kindsFound, environment),
      ...Object.assign({}, ...kindsFound.map(kind => kind.settings)),
      ...Object.fromEntries(found.flatMap(({ variable, folder }) => (variable === null ? [] : [[variable, folder]]))),
      ...extendSearchPath(environment['PATH'] ?? '', paths.flatMap(listFolders)),
    },
    found,
    problems,
  }
}

// --- internal ---

const ASK_TIMEOUT_MS = 3 * SECOND_MS

interface Located {
  kind: ToolchainKind
  folder?: string | undefined
  problem?: string
}

async function locate(
  kind: ToolchainKind,
  {
    home,
    environment,
    ask,
    mustBeSet,
  }: {
    home: string
    environment: NodeJS.ProcessEnv
    ask(command: string[]): Promise<RunResult | undefined>
    mustBeSet: boolean
  },
): Promise<Located> {
  const { name, variable, places, answer } = kind
  const value = variable && environment[variable]
  if (value) {
    if (!path.isAbsolute(value) || !isFolder(value))
      return {
        kind,
        problem: `${variable} is ${toOneLine(value, 100)}, which is not a folder; set it to the one of ${name}`,
      }
    return { kind, folder: value }
  }
  if (mustBeSet)
    return { kind, problem: `${variable}, which .dispatch.json names, has no value in this shell; set it to a folder` }
  const reply = kind.ask && (await ask(kind.ask))
  const text = (answer ? answer.exec(reply?.stdout ?? '')?.[1] : reply?.stdout)?.trim() ?? ''
  const asked = reply?.exitCode === 0 && path.isAbsolute(text) ? text : undefined
  const candidates = [...(asked === undefined ? [] : [asked]), ...listPlaces(places, home, environment)]
  const folder = candidates.find(place => isFolder(place) && listEntries(place).length > 0)
  if (folder !== undefined || kind.ask === undefined || reply === undefined || asked !== undefined)
    return { kind, folder }
  const command = `\`${kind.ask.join(' ')}\``
  return {
    kind,
    problem: `${command} does not say where ${name} is; set ${variable} to it in the shell that starts dispatch`,
  }
}

function listPlaces(places: string[], home: string, environment: NodeJS.ProcessEnv): string[] {
  const data = environment['XDG_DATA_HOME']
  return places.map(place =>
    data && place.startsWith('.local/share/')
      ? path.join(data, place.slice('.local/share/'.length))
      : path.join(home, place),
  )
}

/** Run a program of the user's, unless it lies in a folder that others write; undefined if there is none. */
async function askProgram(
  [name = '', ...args]: string[],
  {
    untrusted,
    searchPath,
    environment,
    run,
  }: { untrusted: string[]; searchPath: string; environment: NodeJS.ProcessEnv; run: typeof runProgram },
): Promise<RunResult | undefined> {
  const program = findProgram(name, searchPath)
  if (program === '' || untrusted.some(folder => isUnder(program, folder))) return undefined
  // A shell would run the file that BASH_ENV or ENV names. The name of a program decides what a shim or a link to mise does.
  const { BASH_ENV: _bash, ENV: _sh, PWD: _current, OLDPWD: _last, ...rest } = environment
  const env = pickVariables(Object.keys(rest), { ...rest, PATH: searchPath })
  return run(name, args, { cwd: '/', env, timeoutMs: ASK_TIMEOUT_MS, maxOutputBytes: 64 * 1024 })
}

/** PATH without relative folders, and without those that others write. */
function filterSearchPath(searchPath: string, untrusted: string[]): string {
  return searchPath
    .split(path.delimiter)
    .filter(folder => path.isAbsolute(folder))
    .filter(folder => !untrusted.some(place => isUnder(resolveRealPath(folder) ?? folder, place)))
    .join(path.delimiter)
}

/** Why a folder is not handed on; undefined if it can be. */
function explainUnusable(folder: string, home: string, untrusted: string[]): string | undefined {
  const real = resolveRealPath(folder) ?? folder
  const realHome = resolveRealPath(home) ?? home
  if (isUnder(realHome, real)) return 'contains your home folder'
  if (untrusted.some(place => isUnder(real, place))) return 'lies where agents write'
  if (untrusted.some(place => isUnder(place, real))) return 'contains the repository'
  return undefined
}

function describe(kind: ToolchainKind, folder: string, home: string, untrusted: string[]): Toolchain {
  const targets = expandState(folder, kind.state).flatMap(file => resolveRealPath(file) ?? [])
  const outside = [...new Set(targets)].filter(
    target =>
      !isUnder(target, resolveRealPath(folder) ?? folder) && explainUnusable(target, home, untrusted) === undefined,
  )
  const homeFiles = (kind.homeFiles ?? []).filter(name => fs.existsSync(path.join(home, name)))
  const readable = [...outside.filter(isFolder), ...homeFiles.map(name => path.join(home, name))]
  return { name: kind.name, folder, variable: kind.variable ?? null, readable, homeFiles }
}

function pickChoices(kinds: ToolchainKind[], environment: NodeJS.ProcessEnv): Record<string, string> {
  const names = Object.keys(environment).filter(name => kinds.some(({ choices }) => choices?.test(name)))
  return pickVariables(names, environment)
}

/** PATH with these folders at its end, and without the link that fnm makes for one shell, which a logout removes. */
function extendSearchPath(searchPath: string, added: string[]): Record<string, string> {
  const folders = searchPath
    .split(path.delimiter)
    .map(folder => (folder.includes('/fnm_multishells/') ? (resolveRealPath(folder) ?? folder) : folder))
  const extended = [...folders, ...added.filter(folder => !folders.includes(folder))].join(path.delimiter)
  return extended === searchPath ? {} : { PATH: extended }
}

function listFolders(reply: RunResult | undefined): string[] {
  const lines = reply?.exitCode === 0 ? reply.stdout.split('\n') : []
  return lines.filter(line => path.isAbsolute(line) && !line.includes(path.delimiter))
}

function isFolder(file: string): boolean {
  try {
    return fs.statSync(file).isDirectory()
  } catch {
    return false
  }
}

function resolveRealPath(file: string): string | undefined {
  try {
    return fs.realpathSync(file)
  } catch {
    return undefined
  }
}
