import fs from 'node:fs'
import path from 'node:path'
import { buildDependenciesEnvironment } from '#host/config'
import { type RunResult, runProgram } from '#host/exec.ts'
import { makePrivateFolder } from '#host/fs'
import { killProcessTree } from '#host/process'
import type { Project } from '#host/project'
import { sanitize } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import { addIgnoredPaths, type Commit, exportTree, listCommitFiles } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { runSandboxedCommand } from '../sandboxed-command.ts'
import {
  type CacheRecord,
  openCacheFolder,
  pruneCache,
  readCacheRecord,
  withCacheLease,
  writeCacheRecord,
} from './cache.ts'
import { computeDependencyKey } from './cache-key.ts'
import { createDependencies, createEmptyDependencies, type Dependencies } from './dependencies.ts'
import { copyIgnoredFiles, listIgnoredFiles } from './ignored-files.ts'
import { listSharedPaths } from './made-paths.ts'

/** After a failure the commands are not run again for this long: a contract has many checks, and each asks. */
const RETRY_AFTER_MS = 20 * SECOND_MS

/**
 * The dependencies of a commit. For each content of its lock files the user's own commands run once, in a clean export, in a folder
 * that all sessions of this machine share. A failure is not kept for long: later calls try again.
 */
export function ensureDependencies(context: RunnerContext, commit: Commit): Promise<Dependencies> {
  const { project } = context.session.manifest
  if (!project || project.setup.length === 0) return Promise.resolve(createEmptyDependencies(context.session.paths))
  const known = context.dependencies.get(commit.commit)
  if (known) return known
  const installing = findOrInstall(context, project, commit)
  const forget = () => context.dependencies.delete(commit.commit)
  context.dependencies.set(commit.commit, installing)
  void installing.then(({ ok }) => !ok && setTimeout(forget, RETRY_AFTER_MS).unref(), forget)
  return installing
}

/** Install the dependencies of the base in `outputs/`, where the workers work, and make git ignore them there. */
export async function installDependencies(context: RunnerContext, base: Commit): Promise<void> {
  const { paths } = context.session
  const dependencies = await ensureDependencies(context, base)
  if (!dependencies.ok) return
  addIgnoredPaths(paths, [...dependencies.paths, ...listIgnoredFiles(paths)])
  await dependencies.copyInto(paths.outputs)
}

// --- internal ---

async function findOrInstall(context: RunnerContext, project: Project, commit: Commit): Promise<Dependencies> {
  const cacheKey = await computeDependencyKey(context, project, commit)
  const folder = openCacheFolder(context.config.home, cacheKey)
  const recordCached = (cached: CacheRecord) => recordInstalled(context, cacheKey, 'cached', cached)
  const cached = readCacheRecord(folder)
  if (cached) return recordCached(cached)
  return withCacheLease(folder, async () => {
    const cached = readCacheRecord(folder) // Another session may have installed them meanwhile.
    return cached ? recordCached(cached) : install(context, project, commit, { cacheKey, folder })
  })
}

async function install(
  context: RunnerContext,
  project: Project,
  commit: Commit,
  { cacheKey, folder }: { cacheKey: string; folder: string },
): Promise<Dependencies> {
  const { config, session } = context
  pruneCache(config.home)
  context.record({ type: 'dependencies.started', cacheKey, commands: project.setup })
  await killProcessTree(0, `DISPATCH_SETUP=${folder}`) // What a runner that died has left running.
  const startedAtMs = Date.now()
  const tree = path.join(folder, 'tree')
  const home = getHome(tree)
  for (const name of [tree, home]) {
    fs.rmSync(name, { recursive: true, force: true })
    makePrivateFolder(name)
  }
  await exportTree(session.paths, commit.commit, tree)
  await copyIgnoredFiles(session.paths, tree)
  const env = {
    ...buildDependenciesEnvironment(home, project.environment),
    DISPATCH_SESSION: session.id,
    DISPATCH_SETUP: folder,
  }
  for (const command of project.setup) {
    const run = await runInstallCommand(context, project, command, { tree, home, env })
    saveOutput(context, cacheKey, command, run)
    const reason = explainFailure(command, run)
    if (reason !== undefined) return recordFailure(context, cacheKey, reason, startedAtMs)
  }
  const trackedFiles = (await listCommitFiles(session.paths, commit.commit)).map(file => file.path)
  const record: CacheRecord = {
    format: 1,
    commands: project.setup,
    tree,
    made: listSharedPaths(tree, trackedFiles.concat(project.files), project),
    seconds: countSeconds(startedAtMs),
  }
  writeCacheRecord(folder, record)
  return recordInstalled(context, cacheKey, 'made', record)
}

/** Run a command in the sandbox of the session. It can reach the project's hosts and write only in the tree and its home. */
function runInstallCommand(
  { session }: RunnerContext,
  project: Project,
  line: string,
  { tree, home, env }: { tree: string; home: string; env: Record<string, string> },
): Promise<RunResult> {
  const { sandbox, allowedHosts } = session.manifest
  const timeoutSeconds = project.limit
  if (sandbox.kind === null)
    return runProgram('/bin/sh', ['-c', line], { cwd: tree, env, timeoutMs: timeoutSeconds * SECOND_MS })
  const hosts = project.hosts.flatMap(host => (/:\d+$/.test(host) ? [host] : [`${host}:443`, `${host}:80`]))
  return runSandboxedCommand({
    role: 'setup',
    command: ['/bin/sh', '-c', line],
    folder: tree,
    home,
    environment: env,
    readablePaths: [],
    hosts: [...hosts, ...allowedHosts],
    timeoutSeconds,
  })
}

function recordInstalled(
  context: RunnerContext,
  cacheKey: string,
  result: 'made' | 'cached',
  { tree, made, seconds }: CacheRecord,
): Dependencies {
  const spentSeconds = result === 'made' ? seconds : 0
  context.record({ type: 'dependencies.ended', cacheKey, result, reason: '', seconds: spentSeconds })
  return createDependencies(context.session.paths, { key: cacheKey, tree, home: getHome(tree), paths: made })
}

function recordFailure(context: RunnerContext, cacheKey: string, reason: string, startedAtMs: number): Dependencies {
  const seconds = countSeconds(startedAtMs)
  context.record({ type: 'dependencies.ended', cacheKey, result: 'failed', reason: reason.slice(0, 400), seconds })
  return { ok: false, reason: `the project's setup failed: ${reason}` }
}

/** Why a command failed; undefined if it did not. */
function explainFailure(command: string, run: RunResult): string | undefined {
  const lastLine = sanitize(`${run.stdout}\n${run.stderr}`).trim().split('\n').at(-1)?.slice(0, 200) ?? ''
  if (run.timedOut) return `\`${command}\` timed out after ${Math.round(run.milliseconds / SECOND_MS)} s`
  if (run.exitCode === 127) return `\`${command}\` needs a program that is not on this machine: ${lastLine}`
  if (run.exitCode === undefined) return `\`${command}\` was ended by ${run.signal ?? run.startError ?? 'a signal'}`
  return run.exitCode === 0 ? undefined : `\`${command}\` ended with exit ${run.exitCode}: ${lastLine}`
}

/** Save the whole output of a command, so that a person can find out why it failed. */
function saveOutput({ session }: RunnerContext, cacheKey: string, command: string, run: RunResult): void {
  const text = `$ ${command}\n${run.stdout}${run.stderr}[exit ${run.exitCode ?? run.signal}]\n`
  fs.appendFileSync(session.paths.setupOutput(cacheKey), text, { mode: 0o600 })
}

function getHome(tree: string): string {
  return path.join(path.dirname(tree), 'home')
}

function countSeconds(startedAtMs: number): number {
  return Math.round((Date.now() - startedAtMs) / SECOND_MS)
}
