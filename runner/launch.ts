import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { prepareOrchestrator } from '#agents'
import { detectLogin, findClaude, prepareLogin, requireLogin } from '#host/claude'
import { type Config, prepareHome } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { copyTree, makePrivateFolder, requireFreeSpace, writeAtomic } from '#host/fs'
import { chooseCommit, findTaskRepository, type UserRepository } from '#host/git'
import { sha256 } from '#host/hash.ts'
import { applyModelVariables, requireModelAccess, requireReadableLogin } from '#host/model'
import { readInstructions } from '#host/project'
import { toOneLine } from '#host/text.ts'
import { openTmux } from '#host/tmux'
import { addNamedToolchains, buildSessionEnvironment, findToolchains } from '#host/toolchains'
import { requireClaude, requirePrograms } from '#host/versions.ts'
import { createSession, createSessionId, recordManifest, type Session, type SessionManifest } from '#session'
import { openTerminal } from './terminal.ts'

/** What a person asks for with `dispatch "task"`. */
export interface LaunchRequest
  extends Pick<SessionManifest, 'allowedHosts' | 'allowsJudgedOnly' | 'requiresApproval' | 'deadline'> {
  task: Buffer
  /** The item of the queue that it is started for. */
  queueItem?: SessionManifest['queueItem']
  startedDespitePause?: boolean
  retryOf?: SessionManifest['retryOf']
  /** Work on this commit of the repository instead of its HEAD, for this branch. */
  startPoint?: Pick<UserRepository, 'commit' | 'branch'> | undefined
  /** A folder of the repository to copy; undefined: the one of the current folder; null: an empty repository. */
  repositoryFolder: string | undefined | null
  /** In place of those in the settings. */
  models: Partial<Record<'orchestrator' | 'code' | 'rw', string | undefined>>
  /** Decides about the sandbox; called once the programs and claude are known to be installed. */
  chooseSandbox(): Promise<SessionManifest['sandbox']>
  /** Finds out what the project needs, and may ask a person; called last, when nothing else can be refused. */
  chooseProject(
    repository: UserRepository | null,
    sandbox: SessionManifest['sandbox'],
  ): Promise<SessionManifest['project']>
}

/**
 * Create a session and open its terminal. Whatever can be refused is refused before the session's folder exists. The
 * orchestrator has not started yet when this returns: `waitForStart`.
 */
export async function launchSession(config: Config, request: LaunchRequest): Promise<Session> {
  prepareHome(config)
  requireFreeSpace(config.home)
  applyModelVariables(config.home)
  await requirePrograms(config)
  const program = findClaude()
  await requireClaude(program, config)
  const tmux = openTmux(config.home)
  await tmux.beginServer() // It starts while all that follows is looked at and written.
  try {
    const session = await prepareSession(config, request, program)
    await openTerminal(session, tmux, config).catch((error: Error) => recordFailure(session, error))
    return session
  } catch (error) {
    await tmux.releaseServer()
    throw error
  }
}

// --- internal ---

/** Decide what the session is, and write all of it but what runs. */
async function prepareSession(config: Config, request: LaunchRequest, program: string): Promise<Session> {
  const login = detectLogin(config.claudeFolder)
  // These wait for other programs, so they are begun together. Errors are told in the order of the lines below.
  const choosing = request.chooseSandbox()
  const finding = findRepository(request, config)
  const searching = finding.then(repository => findToolchains(describeShell(repository, config)))
  for (const begun of [finding, searching]) begun.catch(() => undefined)
  const sandbox = await choosing
  requireModelAccess(sandbox.kind !== null)
  const repository = await finding
  if (login.kind === 'own') prepareLogin(login, config.workspace)
  await requireLogin(login, program)
  await requireReadableLogin(sandbox.kind !== null, login)
  const project = await request.chooseProject(repository, sandbox)
  const shell = describeShell(repository, config)
  const toolchains = await addNamedToolchains(await searching, project?.toolchains ?? [], shell)
  const { texts, nested, ignored } = repository
    ? await readInstructions(repository)
    : { texts: [], nested: [], ignored: [] }
  const session = reserveFreeId(config.workspace, request.task, {
    repository,
    models: {
      orchestrator: request.models.orchestrator ?? config.ORCHESTRATOR_MODEL,
      code: request.models.code ?? config.CODE_MODEL,
      rw: request.models.rw ?? config.RW_MODEL,
      judge: config.JUDGE_MODEL,
    },
    maxRounds: config.ROUNDS,
    allowsJudgedOnly: request.allowsJudgedOnly,
    requiresApproval: request.requiresApproval,
    project,
    toolchains,
    instructions: { files: texts.map(text => text.path), nested, ignored },
    sandbox,
    allowedHosts: request.allowedHosts,
    loginKind: login.kind,
    deadline: request.deadline,
    queueItem: request.queueItem ?? null,
    startedDespitePause: request.startedDespitePause ?? false,
    retryOf: request.retryOf ?? null,
    claude: { program, sessionId: randomUUID(), configDirectory: login.configDirectory ?? null },
  })
  await prepareFiles(session, texts)
  return session
}

/** No runner exists that could record it, and without an end the record would look like a session that still runs. */
async function recordFailure({ paths }: Session, error: Error): Promise<never> {
  const { appendEvent } = await import('#session/log')
  const exitCode = error instanceof DispatchError ? error.exitCode : exitCodes.internal
  appendEvent(paths.events, { type: 'start.failed', reason: error.message, exitCode }, 0, new Date())
  throw error
}

async function findRepository(
  { repositoryFolder, startPoint, retryOf }: LaunchRequest,
  config: Config,
): Promise<UserRepository | null> {
  if (repositoryFolder === null) return null
  const ownFolders = [config.cloneFolder, config.home]
  const found = await findTaskRepository(repositoryFolder, ownFolders, (retryOf ?? null) !== null)
  return found && startPoint ? chooseCommit(found, startPoint) : found
}

/** The shell of the user, in which programs are asked where they are. */
function describeShell(repository: UserRepository | null, { home }: Config) {
  return {
    untrustedFolders: [...(repository ? [repository.path] : []), home],
    environment: buildSessionEnvironment(repository?.path),
  }
}

/** Write all that a session begins with, and at last its manifest. A session that could not be written is removed. */
async function prepareFiles(session: Session, instructions: { path: string; text: string }[]): Promise<void> {
  const { paths, manifest } = session
  try {
    const sections = instructions.map(({ path: file, text }) => `# ${file}\n\n${text}\n`)
    writeAtomic(paths.instructions, sections.join('\n'))
    if (manifest.project && manifest.repository) {
      makePrivateFolder(paths.ignoredFiles)
      for (const name of manifest.project.files)
        await copyTree(path.join(manifest.repository.path, name), path.join(paths.ignoredFiles, name))
    }
    prepareOrchestrator(session)
    recordManifest(session)
  } catch (error) {
    fs.rmSync(paths.folder, { recursive: true, force: true })
    throw error
  }
}

const MAX_ID_ATTEMPTS = 10
/** A title is made from this much of the task. */
const MAX_TITLE_SOURCE_CHARS = 400
const MAX_TITLE_CHARS = 80

/** Two sessions of one task that start at the same moment may draw the same four letters: the second draws again. */
function reserveFreeId(
  workspace: string,
  task: Buffer,
  decisions: Omit<SessionManifest, 'format' | 'id' | 'openedAt' | 'task'>,
): Session {
  const text = task.toString('utf8')
  const title = toOneLine(text.slice(0, MAX_TITLE_SOURCE_CHARS), MAX_TITLE_CHARS)
  for (let attempt = 1; ; attempt++) {
    const now = new Date()
    const manifest: SessionManifest = {
      format: 1,
      id: createSessionId(text, now),
      openedAt: now.toISOString(),
      task: { bytes: task.length, sha256: sha256(task), title },
      ...decisions,
    }
    try {
      return createSession(workspace, manifest, task, { isDraft: true })
    } catch (error) {
      const isTaken = error instanceof DispatchError && error.exitCode === exitCodes.conflict
      if (!isTaken || attempt === MAX_ID_ATTEMPTS) throw error
    }
  }
}
