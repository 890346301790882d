import fs from 'node:fs'
import path from 'node:path'
import { buildCheckEnvironment, listUnsetVariables } from '#host/config'
import { deleteFolder, makePrivateFolder, measureFolder } from '#host/fs'
import { killProcessTree } from '#host/process'
import { type Project, projectFileName } from '#host/project'
import { redactSecrets } from '#host/secrets'
import { formatNames } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import { addIgnoredPaths, type Commit, exportRepository, listAllFiles } from '#session/repository'
import { listIgnoredFiles } from '#session/secrets'
import type { RunnerContext } from '../context.ts'
import { type ProjectRun, runProjectCommand } from '../project-command.ts'
import { type CacheRecord, openCacheFolder, readCacheRecord, withCacheLease, writeCacheRecord } from './cache.ts'
import { chooseInstalledCommit, computeDependencyKey } from './cache-key.ts'
import { createDependencies, type Dependencies } from './dependencies.ts'
import { explainFailure, listUnresolvedHosts } from './explain-failure.ts'
import { copyIgnoredFiles } from './ignored-files.ts'
import { listSharedPaths } from './made-paths.ts'
import { keepOnlyMade, pruneInstallations, removeDownloads, removeInstallation } from './prune.ts'
import { keepCargoSources, linkCredentials, resolveSetupAccess, type SetupAccess } from './setup-access.ts'
import { prepareSetupHome, type ToolAccess } from './tool-home.ts'

/** How much of a command's output is kept. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024

/** How much of a failure's reason is recorded. */
const MAX_REASON_CHARS = 700

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
  // Another session may install them, or remove them because nothing uses them.
  return withCacheLease(folder, async () => {
    const cached = readCacheRecord(folder)
    if (cached) return recordInstalled(context, cacheKey, 'cached', cached)
    const source = await chooseInstalledCommit(context, project, commit)
    return install(context, project, source, cacheKey, folder)
  })
}

async function install(
  context: RunnerContext,
  project: Project,
  commit: Commit,
  cacheKey: string,
  folder: string,
): Promise<Dependencies> {
  const { config, session } = context
  await pruneInstallations(config)
  context.record({ type: 'dependencies.started', cacheKey, commands: project.setup })
  await killProcessTree(0, `DISPATCH_SETUP=${folder}`) // What a runner that died has left running.
  const startedAtMs = Date.now()
  const countSeconds = () => Math.round((Date.now() - startedAtMs) / SECOND_MS)
  const tree = path.join(folder, 'tree')
  for (const name of [tree, getHome(tree)]) {
    deleteFolder(name)
    makePrivateFolder(name)
  }
  const history = await exportRepository(session.paths, commit, tree, listIgnoredFiles(session.paths))
  await copyIgnoredFiles(session.paths, tree)
  const access = await resolveSetupAccess(context, project, commit)
  const output = session.paths.setupOutput(cacheKey)
  const failure = await runSetup(session, project, access, { tree, history, output })
  deleteFolder(path.join(tree, '.git')) // The copy that other sessions use needs none.
  if (failure !== undefined) {
    removeInstallation(folder) // The next try starts from nothing. What the commands printed is in the evidence.
    const reason = failure.slice(0, MAX_REASON_CHARS)
    context.record({ type: 'dependencies.ended', cacheKey, result: 'failed', reason, seconds: countSeconds() })
    return { ok: false, reason: `the project's setup failed: ${failure}` }
  }
  const trackedFiles = await listAllFiles(session.paths, commit.commit)
  const made = listSharedPaths(tree, trackedFiles.concat(project.files), project)
  keepOnlyMade(tree, made)
  removeDownloads(getHome(tree))
  keepCargoSources(access, getHome(tree))
  const bytes = measureFolder(folder)
  const record: CacheRecord = { format: 1, commands: project.setup, tree, made, seconds: countSeconds(), bytes }
  writeCacheRecord(folder, record)
  return recordInstalled(context, cacheKey, 'made', record)
}

/** Run the commands in order, until one fails. Returns why. Their output is kept for a person, without secrets. */
async function runSetup(
  session: RunnerContext['session'],
  project: Project,
  access: SetupAccess,
  { tree, history, output }: { tree: string; history: string[]; output: string },
): Promise<string | undefined> {
  const tools = prepareSetupHome(getHome(tree), session.manifest.toolchains)
  const unlinkCredentials = linkCredentials(access, getHome(tree))
  try {
    for (const command of project.setup) {
      const request = { command, access, tools, tree, history }
      const run = withholdSecrets(await runInstallCommand(session, project, request), access)
      const text = `$ ${command}\n${run.stdout}${run.stderr}[${run.timedOut ? 'timed out' : `exit ${run.exitCode ?? run.signal}`}]\n`
      fs.appendFileSync(output, text, { mode: 0o600 })
      const failure = explainFailure(command, run)
      if (failure !== undefined)
        return [
          redactSecrets(failure, access.secrets).text,
          ...describeRefusals(run, session.manifest.sandbox.kind !== null),
          ...describeMissingAccess(project, access),
          `full output: ${output}`,
        ].join('; ')
    }
    return undefined
  } finally {
    unlinkCredentials()
  }
}

interface InstallCommand {
  command: string
  access: SetupAccess
  tools: ToolAccess
  tree: string
  history: string[]
}

/** Run a command in the sandbox of the session. It can reach the project's hosts and write only in the tree and its home. */
function runInstallCommand(
  { id, manifest }: RunnerContext['session'],
  project: Project,
  { command, access, tools, tree, history }: InstallCommand,
): Promise<ProjectRun> {
  const home = getHome(tree)
  return runProjectCommand(manifest.sandbox.kind, {
    role: 'setup',
    command,
    folder: tree,
    home,
    environment: {
      ...buildCheckEnvironment(home),
      ...tools.variables,
      DISPATCH_SESSION: id,
      DISPATCH_SETUP: path.dirname(tree),
    },
    inheritedVariables: access.variables,
    readablePaths: [
      ...tools.readablePaths,
      ...access.credentials.map(({ file }) => file),
      ...access.certificates,
      ...history,
    ],
    hosts: [...project.hosts.flatMap(expandHost), ...manifest.allowedHosts],
    timeoutSeconds: project.limit,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  })
}

/** A host with the ports that are meant, and the address that its name is for, without which the proxy refuses localhost. */
function expandHost(host: string): string[] {
  const hosts = /:\d+$/.test(host) ? [host] : [`${host}:443`, `${host}:80`]
  return hosts.flatMap(each =>
    each.startsWith('localhost:') ? [each, each.replace('localhost', '127.0.0.1')] : [each],
  )
}

/** The hosts that the sandbox kept a command from, and where a person can allow them. */
function describeRefusals({ refusedHosts, stdout, stderr }: ProjectRun, isSandboxed: boolean): string[] {
  const refused = refusedHosts.map(host => host.replace(/:443$/, ''))
  const unresolved = listUnresolvedHosts(`${stdout}\n${stderr}`).filter(host => !refused.includes(host))
  const them = refused.length === 1 ? 'it' : 'them'
  return [
    ...(refused.length > 0
      ? [
          `the sandbox refused ${formatNames(refused)}: add ${them} to "hosts" in ${projectFileName}, if you trust ${them}`,
        ]
      : []),
    ...(isSandboxed && unresolved.length > 0
      ? [`it called ${formatNames(unresolved)} without the proxy of the sandbox`]
      : []),
  ]
}

/** What the commands did not get, which may be why they failed. */
function describeMissingAccess({ environment }: Project, { withheldFor }: SetupAccess): string[] {
  if (withheldFor !== undefined) return [`your logins were left out, because an agent changed ${withheldFor}`]
  const unset = listUnsetVariables(environment)
  const have = unset.length === 1 ? 'has' : 'have'
  return unset.length > 0 ? [`${formatNames(unset)} ${have} no value in this runner`] : []
}

/** The run without the secrets in its output. This comes before anything is cut: a part of a secret would not be found. */
function withholdSecrets(run: ProjectRun, { secrets }: SetupAccess): ProjectRun {
  const longestFirst = secrets.toSorted((a, b) => b.length - a.length)
  const withhold = (text: string) =>
    longestFirst.reduce((safe, secret) => safe.replaceAll(secret, '[secret withheld]'), text)
  return { ...run, stdout: withhold(run.stdout), stderr: withhold(run.stderr) }
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

function getHome(tree: string): string {
  return path.join(path.dirname(tree), 'home')
}
