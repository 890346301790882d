import fs from 'node:fs'
import path from 'node:path'
import { buildDependenciesEnvironment } from '#host/config'
import type { RunResult } from '#host/exec.ts'
import { makePrivateFolder } from '#host/fs'
import { killProcessTree } from '#host/process'
import type { Project } from '#host/project'
import { sanitize } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import { addIgnoredPaths, type Commit, exportTree, listCommitFiles } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { runProjectCommand } from '../project-command.ts'
import {
  type CacheRecord,
  openCacheFolder,
  pruneCache,
  readCacheRecord,
  withCacheLease,
  writeCacheRecord,
} from './cache.ts'
import { computeDependencyKey } from './cache-key.ts'
import { createDependencies, type Dependencies } from './dependencies.ts'
import { copyIgnoredFiles, listIgnoredFiles } from './ignored-files.ts'
import { listSharedPaths } from './made-paths.ts'

/** How much of a command's output is kept. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024

/** After a failure the commands are not run again for this long: a contract has many checks, and each asks. */
const RETRY_AFTER_MS = 20 * SECOND_MS

/**
 * The dependencies of a commit. For each content of its lock files the user's own commands run once, in a clean export, in a folder
 * that all sessions of this machine share. A failure is not kept for long: later calls try again.
 */
export function ensureDependencies(context: RunnerContext, commit: Commit): Promise<Dependencies> {
  const { project } = context.session.manifest
  if (!project || project.setup.length === 0) return Promise.resolve(createDependencies(context.session.paths))
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
  const findCached = () => {
    const cached = readCacheRecord(folder)
    return cached && recordInstalled(context, cacheKey, 'cached', cached)
  }
  const installUnlessCached = async () => findCached() ?? install(context, project, commit, cacheKey, folder)
  return findCached() ?? withCacheLease(folder, installUnlessCached) // Another session may install them meanwhile.
}

async function install(
  context: RunnerContext,
  project: Project,
  commit: Commit,
  cacheKey: string,
  folder: string,
): Promise<Dependencies> {
  const { config, session } = context
  pruneCache(config.home)
  context.record({ type: 'dependencies.started', cacheKey, commands: project.setup })
  await killProcessTree(0, `DISPATCH_SETUP=${folder}`) // What a runner that died has left running.
  const startedAtMs = Date.now()
  const countSeconds = () => Math.round((Date.now() - startedAtMs) / SECOND_MS)
  const tree = path.join(folder, 'tree')
  for (const name of [tree, getHome(tree)]) {
    fs.rmSync(name, { recursive: true, force: true })
    makePrivateFolder(name)
  }
  await exportTree(session.paths, commit.commit, tree)
  await copyIgnoredFiles(session.paths, tree)
  for (const command of project.setup) {
    const run = await runInstallCommand(session, project, command, tree)
    // A person can find out here why it failed.
    const text = `$ ${command}\n${run.stdout}${run.stderr}[exit ${run.exitCode ?? run.signal}]\n`
    fs.appendFileSync(session.paths.setupOutput(cacheKey), text, { mode: 0o600 })
    const failure = explainFailure(command, run)
    if (failure === undefined) continue
    const reason = failure.slice(0, 400)
    context.record({ type: 'dependencies.ended', cacheKey, result: 'failed', reason, seconds: countSeconds() })
    return { ok: false, reason: `the project's setup failed: ${failure}` }
  }
  const trackedFiles = (await listCommitFiles(session.paths, commit.commit)).map(file => file.path)
  const made = listSharedPaths(tree, trackedFiles.concat(project.files), project)
  const record: CacheRecord = { format: 1, commands: project.setup, tree, made, seconds: countSeconds() }
  writeCacheRecord(folder, record)
  return recordInstalled(context, cacheKey, 'made', record)
}

/** Run a command in the sandbox of the session. It can reach the project's hosts and write only in the tree and its home. */
function runInstallCommand(
  { id, manifest }: RunnerContext['session'],
  project: Project,
  command: string,
  tree: string,
): Promise<RunResult> {
  const home = getHome(tree)
  const hosts = project.hosts.flatMap(host => (/:\d+$/.test(host) ? [host] : [`${host}:443`, `${host}:80`]))
  return runProjectCommand(manifest.sandbox.kind, {
    role: 'setup',
    command,
    folder: tree,
    home,
    environment: {
      ...buildDependenciesEnvironment(home, project.environment),
      DISPATCH_SESSION: id,
      DISPATCH_SETUP: path.dirname(tree),
    },
    readablePaths: [],
    hosts: [...hosts, ...manifest.allowedHosts],
    timeoutSeconds: project.limit,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  })
}

function recordInstalled(
  context: RunnerContext,
  cacheKey: string,
  result: 'made' | 'cached',
  { tree, made, seconds: madeSeconds }: CacheRecord,
): Dependencies {
  const seconds = result === 'made' ? madeSeconds : 0
  context.record({ type: 'dependencies.ended', cacheKey, result, reason: '', seconds })
  return createDependencies(context.session.paths, { key: cacheKey, tree, home: getHome(tree), paths: made })
}

/** Why a command failed; undefined if it did not. */
function explainFailure(command: string, run: RunResult): string | undefined {
  const lastLine = sanitize(`${run.stdout}\n${run.stderr}`).trim().split('\n').at(-1)?.slice(0, 200) ?? ''
  if (run.timedOut) return `\`${command}\` timed out after ${Math.round(run.milliseconds / SECOND_MS)} s`
  if (run.exitCode === 127) return `\`${command}\` needs a program that is not on this machine: ${lastLine}`
  if (run.exitCode === undefined) return `\`${command}\` was ended by ${run.signal ?? run.startError ?? 'a signal'}`
  return run.exitCode === 0 ? undefined : `\`${command}\` ended with exit ${run.exitCode}: ${lastLine}`
}

function getHome(tree: string): string {
  return path.join(path.dirname(tree), 'home')
}
