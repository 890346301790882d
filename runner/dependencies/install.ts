import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { buildDependenciesEnvironment } from '#host/config'
import { isErrno } from '#host/error.ts'
import { findProgram, type RunResult, runProgram } from '#host/exec.ts'
import { makePrivateFolder, readJson, writeAtomic } from '#host/fs'
import { identify, killProcessTree } from '#host/process'
import type { Project } from '#host/project'
import { sanitize } from '#host/text.ts'
import type { SessionPaths } from '#session'
import { acquireLease, type Lease, releaseLease } from '#session/lease'
import { addIgnoredPaths, type Commit, exportTree, listCommitFiles } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { copyIntoTree } from '../safe-copy.ts'
import { runSandboxedCommand } from '../sandboxed-command.ts'
import type { Dependencies } from './dependencies.ts'
import { copyIgnoredFiles, listIgnoredFiles } from './ignored-files.ts'
import { relocateVenv } from './relocate-venv.ts'

/**
 * Make the dependencies of a commit, once for each content of its lock files: the user's own commands, in a clean export,
 * in a place that every session of this machine shares. What fails is told and not kept: it is tried again the next time.
 */
export function ensureDependencies(context: RunnerContext, commit: Commit): Promise<Dependencies> {
  const { project } = context.session.manifest
  if (!project || project.setup.length === 0) return Promise.resolve(createEmptyDependencies(context))
  const known = context.dependencies.get(commit.commit)
  if (known) return known
  const made = buildDependencies(context, project, commit)
  context.dependencies.set(commit.commit, made)
  void made.then(
    ({ ok }) => !ok && setTimeout(() => context.dependencies.delete(commit.commit), RETRY_AFTER_MS).unref(),
    () => context.dependencies.delete(commit.commit),
  )
  return made
}

/** Make the dependencies of the base, and put them where the workers will work; git is told to look past them. */
export async function installDependencies(context: RunnerContext, base: Commit): Promise<void> {
  const { paths } = context.session
  const ready = await ensureDependencies(context, base)
  if (!ready.ok) return
  addIgnoredPaths(paths, [...ready.paths, ...listIgnoredFiles(paths)])
  await ready.copyInto(paths.outputs)
}

/** What was made for a key; written last, so that it tells that all of it is there. */
const DependencyRecord = z.object({
  format: z.literal(1),
  commands: z.array(z.string()),
  /** Where the commands ran: scripts and links in it may name that place. */
  tree: z.string(),
  made: z.array(z.string()),
  seconds: z.number(),
})

type DependencyRecord = z.infer<typeof DependencyRecord>

/** A failure stands so long, in milliseconds, before the commands are tried again: one look at a contract has many checks. */
const RETRY_AFTER_MS = 20_000

/** What nobody has used for so long is removed, in milliseconds. */
const CACHE_MAX_AGE_MS = 30 * 24 * 3600 * 1000

// --- internal ---

async function buildDependencies(context: RunnerContext, project: Project, commit: Commit): Promise<Dependencies> {
  const { config, session } = context
  const cacheKey = await computeDependencyKey(context, project, commit)
  const folder = path.join(config.home, 'prepared', cacheKey)
  makePrivateFolder(path.join(config.home, 'prepared'))
  makePrivateFolder(folder)
  const known = readDependencyRecord(folder)
  if (known) return recordInstalled(context, cacheKey, 'cached', known)
  const lease = await waitForLease(folder)
  try {
    const made = readDependencyRecord(folder) // Another session may have been faster.
    if (made) return recordInstalled(context, cacheKey, 'cached', made)
    pruneUnused(path.join(config.home, 'prepared'))
    context.record({ type: 'dependencies.started', cacheKey, commands: project.setup })
    await killProcessTree(0, `DISPATCH_SETUP=${folder}`) // Of a runner that died in the middle.
    const started = Date.now()
    const tree = path.join(folder, 'tree')
    const home = path.join(folder, 'home')
    for (const place of [tree, home]) {
      fs.rmSync(place, { recursive: true, force: true })
      makePrivateFolder(place)
    }
    await exportTree(session.paths, commit.commit, tree)
    await copyIgnoredFiles(session.paths, tree)
    const before = new Set(
      (await listCommitFiles(session.paths, commit.commit)).map(file => file.path).concat(project.files),
    )
    const env = {
      ...buildDependenciesEnvironment(home, project.environment),
      DISPATCH_SESSION: session.id,
      DISPATCH_SETUP: folder,
    }
    for (const command of project.setup) {
      const ran = await runInstallCommand(context, project, command, { tree, home, env })
      saveInstallOutput(context, cacheKey, command, ran)
      const why = explainCommandFailure(command, ran)
      if (why !== undefined) return recordInstallFailure(context, cacheKey, why, started)
    }
    const seconds = Math.round((Date.now() - started) / 1000)
    const result: DependencyRecord = {
      format: 1,
      commands: project.setup,
      tree,
      made: filterSharedPaths(listUntrackedPaths(tree, before), project),
      seconds,
    }
    writeAtomic(path.join(folder, 'made.json'), JSON.stringify(result, null, 2))
    return recordInstalled(context, cacheKey, 'made', result)
  } finally {
    releaseLease(path.join(folder, 'claim'), lease)
  }
}

/** In the sandbox of this session: with the hosts of the project, and nothing to write but the copy and its home. */
function runInstallCommand(
  { session }: RunnerContext,
  { hosts, limit: timeoutSeconds }: Project,
  line: string,
  { tree, home, env }: { tree: string; home: string; env: Record<string, string> },
): Promise<RunResult> {
  const command = ['/bin/sh', '-c', line]
  const { sandbox, allowedHosts: allowed } = session.manifest
  if (sandbox.kind === null)
    return runProgram('/bin/sh', ['-c', line], { cwd: tree, env, timeoutMs: timeoutSeconds * 1000 })
  const ports = hosts.flatMap(host => (/:\d+$/.test(host) ? [host] : [`${host}:443`, `${host}:80`]))
  const called = [...ports, ...allowed]
  return runSandboxedCommand({
    role: 'setup',
    command,
    folder: tree,
    home,
    environment: env,
    readablePaths: [],
    hosts: called,
    timeoutSeconds,
  })
}

/** The same commands on the same lock files with the same programs on the same machine make the same. */
async function computeDependencyKey(
  { session, status }: RunnerContext,
  project: Project,
  target: Commit,
): Promise<string> {
  const lockfiles = await listLockfiles(session.paths, project, target)
  const given = project.files.map(file => [file, hashFile(path.join(session.paths.ignoredFiles, file))])
  const programs = project.setup
    .flatMap(command => command.match(/[\w./+-]+/g) ?? [])
    .concat('node', 'python3')
    .map(word => findProgram(word))
  const facts = {
    setup: project.setup,
    lockfiles,
    given,
    programs: [...new Set(programs)],
    on: [process.platform, process.arch],
  }
  // Without a lock file nothing tells when they would make something else, so every commit is a case of its own.
  const commit = lockfiles.length === 0 ? target.tree : ''
  // What a worker's lock files bring along is for its own session: others may come to trust the same files later.
  const trusted = status.base ? await listLockfiles(session.paths, project, status.base) : lockfiles
  const of = isDeepStrictEqual(lockfiles, trusted) ? '' : session.id
  return createHash('sha256')
    .update(JSON.stringify({ ...facts, commit, of }))
    .digest('hex')
    .slice(0, 32)
}

/** The lock files of a commit, each with the blob that it is. */
async function listLockfiles(paths: SessionPaths, { lockfiles }: Project, { commit }: Commit): Promise<string[][]> {
  const listed = await listCommitFiles(paths, commit)
  return listed.filter(file => lockfiles.includes(file.path)).map(file => [file.path, file.blob])
}

async function waitForLease(folder: string): Promise<Lease> {
  const who = await identify(process.pid)
  if (!who) throw new Error('this process does not find itself in the process table')
  for (;;) {
    const lease = await acquireLease(path.join(folder, 'claim'), who)
    if (lease) return lease
    await new Promise(resolve => setTimeout(resolve, 500))
  }
}

function readDependencyRecord(folder: string): DependencyRecord | undefined {
  const file = path.join(folder, 'made.json')
  const made = DependencyRecord.safeParse(readJson(file)).data
  if (!made || made.made.some(name => !fs.existsSync(path.join(made.tree, name)))) return undefined
  const now = new Date()
  fs.utimesSync(file, now, now)
  return made
}

function recordInstalled(
  context: RunnerContext,
  cacheKey: string,
  result: 'made' | 'cached',
  made: DependencyRecord,
): Dependencies {
  context.record({
    type: 'dependencies.ended',
    cacheKey,
    result,
    reason: '',
    seconds: result === 'made' ? made.seconds : 0,
  })
  return createDependencies(context, cacheKey, made)
}

function recordInstallFailure(context: RunnerContext, cacheKey: string, why: string, started: number): Dependencies {
  const seconds = Math.round((Date.now() - started) / 1000)
  context.record({ type: 'dependencies.ended', cacheKey, result: 'failed', reason: why.slice(0, 400), seconds })
  return { ok: false, reason: `the project's setup failed: ${why}` }
}

function createEmptyDependencies({ session }: RunnerContext): Dependencies {
  return {
    ok: true,
    key: null,
    copyInto: tree => copyIgnoredFiles(session.paths, tree),
    getVariables: () => ({}),
    listProgramFolders: () => [],
    paths: [],
  }
}

function createDependencies(
  { session }: RunnerContext,
  key: string,
  { tree: from, made: paths }: DependencyRecord,
): Dependencies {
  const home = path.join(path.dirname(from), 'home')
  const caches = { GOMODCACHE: 'go/pkg/mod', CARGO_HOME: '.cargo' }
  const found = Object.entries(caches).filter(([, folder]) => fs.existsSync(path.join(home, folder)))
  return {
    ok: true,
    key,
    paths,
    async copyInto(tree) {
      for (const name of paths) {
        if (await copyIntoTree(tree, name, path.join(from, name))) relocateVenv(path.join(tree, name), from, tree)
      }
      await copyIgnoredFiles(session.paths, tree)
    },
    getVariables: () => Object.fromEntries(found.map(([name, folder]) => [name, path.join(home, folder)])),
    listProgramFolders: tree =>
      paths
        .flatMap(name => [path.join(tree, name, '.bin'), path.join(tree, name, 'bin')])
        .filter(folder => /(node_modules\/\.bin|venv\/bin|env\/bin)$/.test(folder) && fs.existsSync(folder)),
  }
}

/**
 * What may stand in any tree with the same lock files: folders of dependencies. What else the commands made (`dist/`, a
 * `prepare` script's work) comes from the sources of one tree, and in another it would be stale: a check builds that anew.
 */
function filterSharedPaths(made: string[], { makes }: Project): string[] {
  const isDependencies = (name: string) => name.split('/').some(step => dependencyFolders.test(step))
  return made.filter(name => isDependencies(name) || makes.includes(name))
}

const dependencyFolders =
  /^(node_modules|\.venv|venv|vendor|\.bundle|bower_components|Pods|deps|\.pnp\..*|.*\.egg-info)$/

/** The topmost paths of the tree that are not the commit's own. */
function listUntrackedPaths(tree: string, tracked: Set<string>): string[] {
  const folders = new Set([...tracked].flatMap(file => listParents(file)))
  const walk = (folder: string): string[] =>
    fs.readdirSync(path.join(tree, folder), { withFileTypes: true }).flatMap(entry => {
      const name = path.posix.join(folder, entry.name)
      if (tracked.has(name)) return []
      return entry.isDirectory() && folders.has(name) ? walk(name) : [name]
    })
  return walk('').sort()
}

function listParents(file: string): string[] {
  const steps = file.split('/').slice(0, -1)
  return steps.map((_, at) => steps.slice(0, at + 1).join('/'))
}

/** Why a command did not do what it should; undefined when it did. */
function explainCommandFailure(command: string, ran: RunResult): string | undefined {
  const last = sanitize(`${ran.stdout}\n${ran.stderr}`).trim().split('\n').at(-1)?.slice(0, 200) ?? ''
  if (ran.timedOut) return `\`${command}\` was not done after ${Math.round(ran.milliseconds / 1000)} s`
  if (ran.exitCode === 127) return `\`${command}\` needs a program that is not on this machine: ${last}`
  if (ran.exitCode === undefined) return `\`${command}\` was ended by ${ran.signal ?? ran.startError ?? 'a signal'}`
  return ran.exitCode === 0 ? undefined : `\`${command}\` ended with exit ${ran.exitCode}: ${last}`
}

/** All that the commands printed, for whoever must find out why. */
function saveInstallOutput({ session }: RunnerContext, key: string, command: string, ran: RunResult): void {
  const file = path.join(session.paths.evidence, `setup-${key.slice(0, 8)}.txt`)
  fs.appendFileSync(file, `$ ${command}\n${ran.stdout}${ran.stderr}[exit ${ran.exitCode ?? ran.signal}]\n`, {
    mode: 0o600,
  })
}

function hashFile(file: string): string {
  try {
    return createHash('sha256').update(fs.readFileSync(file)).digest('hex')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}

function pruneUnused(all: string): void {
  for (const name of fs.readdirSync(all)) {
    const used = fs.statSync(path.join(all, name, 'made.json'), { throwIfNoEntry: false })?.mtimeMs
    if (used !== undefined && Date.now() - used > CACHE_MAX_AGE_MS)
      fs.rmSync(path.join(all, name), { recursive: true, force: true })
  }
}
