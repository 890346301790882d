import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import {
  identify,
  isErrno,
  killFamily,
  makePrivate,
  type Project,
  printable,
  programOf,
  type Ran,
  readJson,
  run,
  setupEnvironment,
  writeAtomic,
} from '../host/index.ts'
import {
  type Claim,
  type Commit,
  claim,
  exportTree,
  ignoreInTrees,
  listing,
  type Paths,
  release,
} from '../session/index.ts'
import { givenFiles, placeGiven } from './given.ts'
import { runInside } from './inside.ts'
import { placeIn } from './place.ts'
import { relocate } from './relocate.ts'
import type { Running } from './running.ts'

/** Whether a commit's dependencies are there, and how a copy of the tree gets them. */
export type Readiness =
  | {
      ok: true
      /** Names what they were made from; null where nothing is needed. */
      key: string | null
      /** Put them into this copy of the tree. */
      place(tree: string): Promise<void>
      /** What a program in that copy is told, besides its own environment. */
      variables(tree: string): Record<string, string>
      /** Folders in that copy whose programs can be called by name. */
      programs(tree: string): string[]
      /** The paths that were made, from the top of the tree. */
      made: string[]
    }
  | { ok: false; why: string }

/**
 * Make the dependencies of a commit, once for each content of its lock files: the user's own commands, in a clean export,
 * in a place that every session of this machine shares. What fails is told and not kept: it is tried again the next time.
 */
export function readyFor(running: Running, at: Commit): Promise<Readiness> {
  const { project } = running.session.opening
  if (!project || project.setup.length === 0) return Promise.resolve(nothingNeeded(running))
  const known = running.setups.get(at.commit)
  if (known) return known
  const made = make(running, project, at)
  running.setups.set(at.commit, made)
  void made.then(
    ({ ok }) => !ok && setTimeout(() => running.setups.delete(at.commit), patience).unref(),
    () => running.setups.delete(at.commit),
  )
  return made
}

/** Make the dependencies of the base, and put them where the workers will work; git is told to look past them. */
export async function furnish(running: Running, base: Commit): Promise<void> {
  const { paths } = running.session
  const ready = await readyFor(running, base)
  if (!ready.ok) return
  ignoreInTrees(paths, [...ready.made, ...givenFiles(paths)])
  await ready.place(paths.outputs)
}

/** What was made for a key; written last, so that it tells that all of it is there. */
const Made = z.object({
  format: z.literal(1),
  commands: z.array(z.string()),
  /** Where the commands ran: scripts and links in it may name that place. */
  tree: z.string(),
  made: z.array(z.string()),
  seconds: z.number(),
})

type Made = z.infer<typeof Made>

/** A failure stands so long, in milliseconds, before the commands are tried again: one look at a contract has many checks. */
const patience = 20_000

/** What nobody has used for so long is removed, in milliseconds. */
const month = 30 * 24 * 3600 * 1000

// --- internal ---

async function make(running: Running, project: Project, at: Commit): Promise<Readiness> {
  const { config, session } = running
  const key = await keyOf(running, project, at)
  const folder = path.join(config.home, 'prepared', key)
  makePrivate(path.join(config.home, 'prepared'))
  makePrivate(folder)
  const known = readMade(folder)
  if (known) return told(running, key, 'cached', known)
  const claimed = await waitForTurn(folder)
  try {
    const made = readMade(folder) // Another session may have been faster.
    if (made) return told(running, key, 'cached', made)
    prune(path.join(config.home, 'prepared'))
    running.record({ is: 'setup.started', key, commands: project.setup })
    await killFamily(0, `DISPATCH_SETUP=${folder}`) // Of a runner that died in the middle.
    const started = Date.now()
    const tree = path.join(folder, 'tree')
    const home = path.join(folder, 'home')
    for (const place of [tree, home]) {
      fs.rmSync(place, { recursive: true, force: true })
      makePrivate(place)
    }
    await exportTree(session.paths, at.commit, tree)
    await placeGiven(session.paths, tree)
    const before = new Set((await listing(session.paths, at.commit)).map(file => file.path).concat(project.files))
    const env = { ...setupEnvironment(home, project.environment), DISPATCH_SESSION: session.id, DISPATCH_SETUP: folder }
    for (const command of project.setup) {
      const ran = await runStep(running, project, command, { tree, home, env })
      keepOutput(running, key, command, ran)
      const why = shortfall(command, ran)
      if (why !== undefined) return failed(running, key, why, started)
    }
    const seconds = Math.round((Date.now() - started) / 1000)
    const result: Made = {
      format: 1,
      commands: project.setup,
      tree,
      made: shared(untracked(tree, before), project),
      seconds,
    }
    writeAtomic(path.join(folder, 'made.json'), JSON.stringify(result, null, 2))
    return told(running, key, 'made', result)
  } finally {
    release(path.join(folder, 'claim'), claimed)
  }
}

/** In the sandbox of this session: with the hosts of the project, and nothing to write but the copy and its home. */
function runStep(
  { session }: Running,
  { hosts, limit }: Project,
  line: string,
  { tree, home, env }: { tree: string; home: string; env: Record<string, string> },
): Promise<Ran> {
  const command = ['/bin/sh', '-c', line]
  const { sandbox, hosts: allowed } = session.opening
  if (sandbox.kind === null) return run('/bin/sh', ['-c', line], { cwd: tree, env, deadline: limit * 1000 })
  const ports = hosts.flatMap(host => (/:\d+$/.test(host) ? [host] : [`${host}:443`, `${host}:80`]))
  const called = [...ports, ...allowed]
  return runInside({ role: 'setup', command, folder: tree, home, environment: env, read: [], hosts: called, limit })
}

/** The same commands on the same lock files with the same programs on the same machine make the same. */
async function keyOf({ session, status }: Running, project: Project, at: Commit): Promise<string> {
  const lockfiles = await lockfilesAt(session.paths, project, at)
  const given = project.files.map(file => [file, hashOf(path.join(session.paths.given, file))])
  const programs = project.setup
    .flatMap(command => command.match(/[\w./+-]+/g) ?? [])
    .concat('node', 'python3')
    .map(word => programOf(word))
  const facts = {
    setup: project.setup,
    lockfiles,
    given,
    programs: [...new Set(programs)],
    on: [process.platform, process.arch],
  }
  // Without a lock file nothing tells when they would make something else, so every commit is a case of its own.
  const commit = lockfiles.length === 0 ? at.tree : ''
  // What a worker's lock files bring along is for its own session: others may come to trust the same files later.
  const trusted = status.base ? await lockfilesAt(session.paths, project, status.base) : lockfiles
  const of = isDeepStrictEqual(lockfiles, trusted) ? '' : session.id
  return createHash('sha256')
    .update(JSON.stringify({ ...facts, commit, of }))
    .digest('hex')
    .slice(0, 32)
}

/** The lock files of a commit, each with the blob that it is. */
async function lockfilesAt(paths: Paths, { lockfiles }: Project, { commit }: Commit): Promise<string[][]> {
  const listed = await listing(paths, commit)
  return listed.filter(file => lockfiles.includes(file.path)).map(file => [file.path, file.blob])
}

async function waitForTurn(folder: string): Promise<Claim> {
  const who = await identify(process.pid)
  if (!who) throw new Error('this process does not find itself in the process table')
  for (;;) {
    const claimed = await claim(path.join(folder, 'claim'), who)
    if (claimed) return claimed
    await new Promise(resolve => setTimeout(resolve, 500))
  }
}

function readMade(folder: string): Made | undefined {
  const file = path.join(folder, 'made.json')
  const made = Made.safeParse(readJson(file)).data
  if (!made || made.made.some(name => !fs.existsSync(path.join(made.tree, name)))) return undefined
  const now = new Date()
  fs.utimesSync(file, now, now)
  return made
}

function told(running: Running, key: string, how: 'made' | 'cached', made: Made): Readiness {
  running.record({ is: 'setup.ended', key, how, why: '', seconds: how === 'made' ? made.seconds : 0 })
  return ready(running, key, made)
}

function failed(running: Running, key: string, why: string, started: number): Readiness {
  const seconds = Math.round((Date.now() - started) / 1000)
  running.record({ is: 'setup.ended', key, how: 'failed', why: why.slice(0, 400), seconds })
  return { ok: false, why: `the project's setup failed: ${why}` }
}

function nothingNeeded({ session }: Running): Readiness {
  return {
    ok: true,
    key: null,
    place: tree => placeGiven(session.paths, tree),
    variables: () => ({}),
    programs: () => [],
    made: [],
  }
}

function ready({ session }: Running, key: string, { tree: from, made }: Made): Readiness {
  const home = path.join(path.dirname(from), 'home')
  const caches = { GOMODCACHE: 'go/pkg/mod', CARGO_HOME: '.cargo' }
  const found = Object.entries(caches).filter(([, folder]) => fs.existsSync(path.join(home, folder)))
  return {
    ok: true,
    key,
    made,
    async place(tree) {
      for (const name of made) {
        if (await placeIn(tree, name, path.join(from, name))) relocate(path.join(tree, name), from, tree)
      }
      await placeGiven(session.paths, tree)
    },
    variables: () => Object.fromEntries(found.map(([name, folder]) => [name, path.join(home, folder)])),
    programs: tree =>
      made
        .flatMap(name => [path.join(tree, name, '.bin'), path.join(tree, name, 'bin')])
        .filter(folder => /(node_modules\/\.bin|venv\/bin|env\/bin)$/.test(folder) && fs.existsSync(folder)),
  }
}

/**
 * What may stand in any tree with the same lock files: folders of dependencies. What else the commands made (`dist/`, a
 * `prepare` script's work) comes from the sources of one tree, and in another it would be stale: a check builds that anew.
 */
function shared(made: string[], { makes }: Project): string[] {
  const isDependencies = (name: string) => name.split('/').some(step => dependencyFolders.test(step))
  return made.filter(name => isDependencies(name) || makes.includes(name))
}

const dependencyFolders =
  /^(node_modules|\.venv|venv|vendor|\.bundle|bower_components|Pods|deps|\.pnp\..*|.*\.egg-info)$/

/** The topmost paths of the tree that are not the commit's own. */
function untracked(tree: string, tracked: Set<string>): string[] {
  const folders = new Set([...tracked].flatMap(file => parentsOf(file)))
  const walk = (folder: string): string[] =>
    fs.readdirSync(path.join(tree, folder), { withFileTypes: true }).flatMap(entry => {
      const name = path.posix.join(folder, entry.name)
      if (tracked.has(name)) return []
      return entry.isDirectory() && folders.has(name) ? walk(name) : [name]
    })
  return walk('').sort()
}

function parentsOf(file: string): string[] {
  const steps = file.split('/').slice(0, -1)
  return steps.map((_, at) => steps.slice(0, at + 1).join('/'))
}

/** Why a command did not do what it should; undefined when it did. */
function shortfall(command: string, ran: Ran): string | undefined {
  const last = printable(`${ran.stdout}\n${ran.stderr}`).trim().split('\n').at(-1)?.slice(0, 200) ?? ''
  if (ran.timedOut) return `\`${command}\` was not done after ${Math.round(ran.milliseconds / 1000)} s`
  if (ran.code === 127) return `\`${command}\` needs a program that is not on this machine: ${last}`
  if (ran.code === undefined) return `\`${command}\` was ended by ${ran.signal ?? ran.unstartable ?? 'a signal'}`
  return ran.code === 0 ? undefined : `\`${command}\` ended with exit ${ran.code}: ${last}`
}

/** All that the commands printed, for whoever must find out why. */
function keepOutput({ session }: Running, key: string, command: string, ran: Ran): void {
  const file = path.join(session.paths.evidence, `setup-${key.slice(0, 8)}.txt`)
  fs.appendFileSync(file, `$ ${command}\n${ran.stdout}${ran.stderr}[exit ${ran.code ?? ran.signal}]\n`, { mode: 0o600 })
}

function hashOf(file: string): string {
  try {
    return createHash('sha256').update(fs.readFileSync(file)).digest('hex')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}

function prune(all: string): void {
  for (const name of fs.readdirSync(all)) {
    const used = fs.statSync(path.join(all, name, 'made.json'), { throwIfNoEntry: false })?.mtimeMs
    if (used !== undefined && Date.now() - used > month)
      fs.rmSync(path.join(all, name), { recursive: true, force: true })
  }
}
