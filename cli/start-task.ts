import type { Config } from '#host/config'
import { type ExitCode, exitCodes } from '#host/error.ts'
import { describeFreeSpace, FREE_SPACE_REMEDY, LOW_SPACE_BYTES, measureFreeSpace } from '#host/fs'
import type { Fence } from '#queue'
import { type LaunchRequest, launchSession } from '#runner'
import type { Session } from '#session'
import type { OptionValues } from './command.ts'
import { setExitCodeWithoutReader } from './end-signal.ts'
import { resolveSandbox } from './input/sandbox-options.ts'
import { parseTaskOptions, type taskOptions } from './input/task-options.ts'
import { printIntroduction, printNextCommands, printWarning } from './output/launch-view.ts'
import { print } from './output/terminal.ts'
import { readClaim } from './queue/claim.ts'
import { refusePause } from './queue/pause.ts'

type TaskValues = OptionValues<typeof taskOptions>

/** What to start beside the options: the task, and for another attempt what its person adds and where it begins. */
export interface TaskRequest {
  task: Buffer
  context?: string
  startPoint?: LaunchRequest['startPoint']
  /** The session at whose task a person has another one tried. */
  earlier?: Session
  /** What `--json` prints besides. */
  details?: Record<string, unknown>
}

/** Start a session as `dispatch "task"` does, and say where to look; with --wait, stay until the verdict. Returns the exit code. */
export async function startTask(config: Config, values: TaskValues, request: TaskRequest): Promise<ExitCode> {
  const say = (text: string) => (values.json ? undefined : printWarning(text))
  if (values.wait) setExitCodeWithoutReader()
  const session = await launch(config, values, request, say)
  if (!values.json) printIntroduction(session, config)
  const freeBytes = measureFreeSpace(config.home)
  if (freeBytes < LOW_SPACE_BYTES) say(`${describeFreeSpace(config.home, freeBytes)}. ${FREE_SPACE_REMEDY}`)
  const { repository } = session.manifest
  const { waitForFirstAnswer } = await import('./wait-for-start.ts') // What only comes now is loaded only now: claude starts meanwhile.
  const [warnings, start] = await Promise.all([
    repository ? listRepoWarnings(repository) : [],
    values['no-wait'] ? null : waitForFirstAnswer(session, config, say),
  ])
  for (const warning of warnings) say(warning)
  if (readClaim() === null) await (await import('./queue/load.ts')).warnOverCap(config, repository?.path, say)
  // A daemon has started this for its queue. If it was ended meanwhile, nothing begins again by itself.
  const serverUrl = readClaim() === null ? await (await import('./background.ts')).startBackground(config) : undefined
  const page = serverUrl === undefined ? undefined : `${serverUrl}/s/${session.id}`
  if (values.wait && !values.json) return (await import('./wait-for-result.ts')).watchToEnd(session)
  if (values.wait) {
    const { waitForResult } = await import('./wait-for-result.ts')
    const result = await waitForResult(session)
    print(JSON.stringify({ ...result, ...request.details }))
    return result.exitCode
  }
  if (values.json)
    print(JSON.stringify({ id: session.id, folder: session.paths.folder, page: page ?? null, ...request.details }))
  else printNextCommands(session, page, start)
  return exitCodes.ok
}

// --- internal ---

/** A repository that cannot be inspected still starts. */
async function listRepoWarnings(repository: NonNullable<Session['manifest']['repository']>): Promise<string[]> {
  const { findRepoWarnings } = await import('#host/git')
  return findRepoWarnings(repository).catch(() => [])
}

/** Create the session, for a person or for an item of the queue. Exit 5 while dispatch is paused. */
async function launch(
  config: Config,
  values: TaskValues,
  { task, context = '', startPoint, earlier }: TaskRequest,
  say: (text: string) => void,
): Promise<Session> {
  const options = parseTaskOptions(values)
  const claim = readClaim()
  const startedDespitePause = refusePause(config, values.force ?? false)
  if (claim !== null) await (await import('./issues/refuse-closed.ts')).refuseClosedIssue(config, claim.item)
  const attempt =
    claim === null || values.retry === undefined
      ? undefined
      : await (await import('./pull-request/find-attempt.ts')).findAttemptOfItem(config, claim.item)
  const start =
    values['base-of'] === undefined
      ? startPoint
      : await (await import('./landing/landing-target.ts')).bringLandingTarget(
          config,
          values['base-of'],
          values.repo,
          attempt,
        )
  const retryOf =
    values.retry === undefined
      ? null
      : (await import('./input/earlier-attempt.ts')).describeAttempt(config, values.retry, context, attempt)
  const create = (queueItem: Fence | null) =>
    launchSession(config, {
      ...options,
      task,
      queueItem,
      retryOf,
      startPoint: start,
      startedDespitePause,
      chooseSandbox: () => resolveSandbox(config, values.sandbox),
      chooseProject: async (repository, sandbox) =>
        values['no-setup'] || repository === null
          ? null
          : (await import('./input/project.ts')).resolveProject(config, repository, {
              ...{ sandbox, say },
              ...(values.json && { mayAsk: false }), // A question would be in the JSON.
            }),
    })
  if (claim !== null)
    return (await import('./queue/claimed-start.ts')).launchClaimed(config, claim, task, () => create(claim))
  if (earlier === undefined) return create(null)
  return (await import('./queue/take-over.ts')).launchRetry(config, earlier, create)
}
