import { createHash, randomUUID } from 'node:crypto'
import { prepareOrchestrator } from '#agents'
import { detectLogin, findClaude, prepareLogin, requireLogin } from '#host/claude'
import { type Config, prepareHome, readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { findRepository, findRepoWarnings } from '#host/git'
import { checkLiveness } from '#host/process'
import { readInstructions } from '#host/project'
import { sanitize, toOneLine } from '#host/text.ts'
import { requireClaude, requirePrograms } from '#host/versions.ts'
import { closeSession, launchSession, launchSuccessor, requestClose } from '#runner'
import { createSession, createSessionId, type Session, type SessionManifest } from '#session'
import { readLeaseHolder } from '#session/lease'
import { appendEvent, followLog } from '#session/log'
import { defineCommand, type OptionValues } from '../command.ts'
import { resolveProject, saveIgnoredFiles } from '../input/project-config.ts'
import { parseAllowedHost, printSandboxWarning, resolveSandbox } from '../input/sandbox-options.ts'
import { parseDeadline, readTask } from '../input/task-input.ts'
import { paint, print } from '../output/terminal.ts'
import { waitForResult, watchToEnd } from './wait.ts'

const options = {
  wait: {
    type: 'boolean',
    about: 'stay, show the progress, and exit with the verdict (0 PASS, 3 FAIL, 12 INCONCLUSIVE or it asks you)',
  },
  json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  file: { type: 'string', value: 'FILE', about: 'the task is in this file' },
  repo: { type: 'string', value: 'DIR', about: 'work on a copy of this git repository (default: the one you are in)' },
  'no-setup': { type: 'boolean', about: 'leave out what .dispatch.json says: no dependencies for workers and checks' },
  'no-repo': { type: 'boolean', about: 'begin with an empty repository' },
  model: { type: 'string', value: 'MODEL', about: "the orchestrator's model (default: ORCHESTRATOR_MODEL, opus)" },
  deadline: {
    type: 'string',
    value: 'HH:MM',
    about:
      'when you want the verdict by: what needs you then comes through quiet hours (a time of day, or 2026-11-21T06:30)',
  },
  approve: { type: 'boolean', about: 'stop when the contract is ready, until you approve it: dispatch approve <sid>' },
  sandbox: {
    type: 'string',
    value: 'WORD',
    about: 'auto, required (no start without one) or off: what holds agents and checks (default: SANDBOX, auto)',
  },
  'allow-host': {
    type: 'string',
    multiple: true,
    value: 'HOST',
    about: 'agents in a sandbox may call this host besides the model; give it once for each',
  },
  'allow-judged-only': { type: 'boolean', about: 'accept a contract in which no clause has a check' },
} as const

export const command = defineCommand({
  about: `
Opens a session: an orchestrator (Claude) plans it, writes a contract, hands it to workers; every check of the contract is
run by us on a clean copy of the work, and a judge of another vendor gives the verdict. Returns as soon as the orchestrator
has really started.
`,
  usage: `"task" [options]
       dispatch --file FILE | dispatch -     from a file, or standard input
       dispatch -- "-a task that begins with a dash"`,
  options,
  remedy:
    'A task that begins with a dash goes behind two: dispatch -- "-…". `dispatch "task" --help` lists the options.',
  async run(values, words) {
    const task = await readTask(values.file, words)
    const deadline = values.deadline === undefined ? null : parseDeadline(values.deadline, new Date())
    const config = readConfig()
    const session = await launchTask(config, task, { ...values, deadline })
    if (!values.json) printIntroduction(session, config)
    const { repository } = session.manifest // What cannot be told of it does not fail a start.
    const [remarks] = await Promise.all([
      repository ? findRepoWarnings(repository).catch(() => []) : [],
      waitForStart(session, config),
    ])
    if (!values.json) for (const remark of remarks) print(paint('yellow', `  ${sanitize(remark)}`))
    const { startBackground } = await import('../background.ts') // Not before: it would delay the start.
    const page = await startBackground(config)
    if (!values.wait) {
      if (values.json)
        print(
          JSON.stringify({
            id: session.id,
            folder: session.paths.folder,
            page: page ? `${page}/s/${session.id}` : null,
          }),
        )
      else printWhereToLook(session, page)
      return exitCodes.ok
    }
    if (!values.json) return watchToEnd(session)
    const outcome = await waitForResult(session)
    print(JSON.stringify(outcome))
    return outcome.exit
  },
})

/** What was said on the command line, with the deadline read. */
type TaskOptions = Omit<OptionValues<typeof options>, 'deadline'> & { deadline: string | null }

function refuseContradictions(values: TaskOptions): void {
  if (values.repo !== undefined && values['no-repo'])
    throw new DispatchError('--repo and --no-repo contradict each other', {
      exitCode: exitCodes.usage,
      remedy: 'Keep the one you mean.',
    })
  if (values.model?.trim() === '')
    throw new DispatchError('--model has no name', {
      exitCode: exitCodes.usage,
      remedy: 'Such as --model opus, or leave it out.',
    })
}

/** Everything that can be refused before the folder is made; then the session is opened and started. */
async function launchTask(config: Config, task: Buffer, values: TaskOptions): Promise<Session> {
  refuseContradictions(values)
  prepareHome(config)
  await requirePrograms(config)
  const program = findClaude()
  await requireClaude(program, config)
  const login = detectLogin(config.claudeFolder)
  const sandbox = await resolveSandbox(config, values.sandbox)
  const allowedHosts = (values['allow-host'] ?? []).map(parseAllowedHost)
  const repository = values['no-repo'] ? null : await findRepository(values.repo, [config.installFolder, config.home])
  if (login.kind === 'own') prepareLogin(login, config.workspace)
  await requireLogin(login, program)
  const note = (line: string) => (values.json ? undefined : print(paint('yellow', `  ${line}`)))
  const project = values['no-setup'] ? null : await resolveProject(config, repository, { sandbox, say: note })
  const instructions = repository ? await readInstructions(repository) : { texts: [], nested: [], ignored: [] }
  const words = task.toString('utf8')
  const now = new Date()
  const opening: SessionManifest = {
    format: 1,
    id: createSessionId(words, now),
    openedAt: now.toISOString(),
    repository,
    task: {
      bytes: task.length,
      sha256: createHash('sha256').update(task).digest('hex'),
      title: toOneLine(words.slice(0, 400), 80),
    },
    models: {
      orchestrator: values.model ?? config.ORCHESTRATOR_MODEL,
      code: config.CODE_MODEL,
      rw: config.RW_MODEL,
      judge: config.JUDGE_MODEL,
    },
    maxRounds: config.ROUNDS,
    allowsJudgedOnly: values['allow-judged-only'] ?? false,
    requiresApproval: values.approve ?? false,
    project,
    instructions: {
      files: instructions.texts.map(text => text.path),
      nested: instructions.nested,
      ignored: instructions.ignored,
    },
    sandbox,
    allowedHosts,
    loginKind: login.kind,
    deadline: values.deadline,
    claude: { program, sessionId: randomUUID(), configDirectory: login.configDirectory ?? null },
  }
  const session = openWithFreeId(config.workspace, opening, task)
  await saveIgnoredFiles(project, repository, session.paths.ignoredFiles)
  writeAtomic(
    session.paths.instructions,
    instructions.texts.map(({ path, text }) => `# ${path}\n\n${text}\n`).join('\n'),
  )
  prepareOrchestrator(session)
  await launchSession(session, config).catch((error: Error) => {
    // There is no runner to say it, so the door does: the record may not look like something that still goes on.
    appendEvent(
      session.paths.events,
      {
        type: 'start.failed',
        reason: error.message,
        exitCode: error instanceof DispatchError ? error.exitCode : exitCodes.internal,
      },
      0,
      new Date(),
    )
    throw error
  })
  return session
}

/** Two dispatches of one task at one moment may draw the same four letters: the second draws again. */
function openWithFreeId(workspace: string, opening: SessionManifest, task: Buffer): Session {
  for (let tries = 1; ; tries++) {
    try {
      return createSession(
        workspace,
        tries === 1 ? opening : { ...opening, id: createSessionId(opening.task.title, new Date()) },
        task,
      )
    } catch (error) {
      if (!(error instanceof DispatchError && error.exitCode === exitCodes.conflict) || tries === 10) throw error
    }
  }
}

/**
 * Come back when the orchestrator's own hook has said that its first turn began and its repository stands, or say why not.
 * A runner that dies meanwhile is given one successor here: on a new machine there is no watchdog yet.
 */
async function waitForStart(session: Session, config: Config): Promise<void> {
  const missing = new Set(['orchestrator.started', 'base.prepared'])
  const over = Date.now() + (config.START_TIMEOUT_SEC + 15) * 1000
  for (let isRevived = false; ; ) {
    for await (const event of followLog(session.paths.events, { signal: AbortSignal.timeout(2000), rescanMs: 100 })) {
      missing.delete(event.type)
      if (missing.size === 0) return
      if (event.type === 'start.failed') throw createStartError(session, event.reason, event.exitCode)
      if (event.type === 'human.needed') {
        await requestClose(session, 'it gave up before it had started')
        throw createStartError(session, event.reason, event.exitCode ?? exitCodes.internal)
      }
      if (event.type === 'session.closed')
        throw new DispatchError(`the session was closed by ${event.actor} before it had started: ${event.reason}`, {
          exitCode: exitCodes.conflict,
        })
    }
    const runner = readLeaseHolder(session.paths.runnerLease)
    const isGone = runner !== undefined && (await checkLiveness(runner)) === 'dead'
    if (isGone && !isRevived) {
      isRevived = await launchSuccessor(session, config)
    } else if (Date.now() > over && (isGone || runner === undefined)) {
      // A large repository takes its time, with a runner.
      await closeSession(session, config, 'dispatch', 'its runner did not start, or died at once')
      throw createStartError(
        session,
        `its runner did not start, or died, within ${config.START_TIMEOUT_SEC + 15} s`,
        exitCodes.deadline,
      )
    }
  }
}

function createStartError(session: Session, why: string, exit: number): DispatchError {
  return new DispatchError(`the orchestrator did not start: ${why}`, {
    exitCode: exit as DispatchError['exitCode'],
    remedy: `Nothing was left running. The record stays in ${session.paths.folder}. \`dispatch doctor\` looks for the cause.`,
  })
}

function printIntroduction({ id, manifest }: Session, config: Config): void {
  const { repository } = manifest
  print(`${paint('bold', id)}`)
  if (repository)
    print(
      `  on a copy of ${repository.path} at ${repository.commit.slice(0, 10)}${repository.uncommittedFiles > 0 ? `; ${repository.uncommittedFiles} uncommitted file${repository.uncommittedFiles === 1 ? ' is' : 's are'} left out` : ''} (--no-repo begins empty)`,
    )
  else print('  in an empty repository')
  printSandboxWarning(manifest)
  if (config.GEMINI_API_KEY === '')
    print(
      paint(
        'yellow',
        '  GEMINI_API_KEY is not set: the checks will be run, but without a judge no verdict can be PASS',
      ),
    )
}

function printWhereToLook({ id, paths }: Session, page: string | undefined): void {
  print(`  started. dispatch watch ${id.slice(-4)}   live, until the verdict`)
  print(`           dispatch attach ${id.slice(-4)}  the orchestrator's terminal`)
  if (page) print(`           ${page}/s/${id}`)
  print(paint('dim', `           ${paths.folder}`))
}
