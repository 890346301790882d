import fs from 'node:fs'
import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { findUpstream, readTransport } from '#host/git/upstream'
import { listKnownSecrets } from '#host/secrets'
import { isSessionOpen, landSession, stopSession } from '#runner'
import { findTargetRepository, refuseNewerFormat, type Session } from '#session'
import { findBaseBranch, type LandingStatus, requirePass } from '#session/landing'
import { listChangedPaths } from '#session/repository'
import { readView } from '#session/status'
import { landAlone } from './project-lease.ts'

type LandingRequest = Parameters<typeof landSession>[2]

/** What a person asked for with `dispatch land`. */
export interface LandingOptions
  extends Pick<LandingRequest, 'method' | 'author' | 'isDryRun' | 'isAtTerminal' | 'say'> {
  /** A local branch, whose upstream is the target; undefined: the branch that the session started from. */
  into: string | undefined
  /** Another checkout than that of the session. */
  repo: string | undefined
  /** Land in the order of the sessions, instead of the smallest first. */
  keepsOrder: boolean
}

/** What came of one session: where it stands, or why it could not be tried. */
export interface LandingResult {
  session: Session
  landing?: LandingStatus
  error?: DispatchError
}

/**
 * Land sessions one after the other, the fewest files first, so that a large one meets the conflicts and not the small ones. A session
 * that is open is closed before. One that does not land keeps no other, and each result comes as soon as it is there.
 */
export async function* landSessions(
  config: Config,
  sessions: Session[],
  options: LandingOptions,
): AsyncGenerator<LandingResult> {
  for (const session of options.keepsOrder ? sessions : await sortBySize(sessions)) {
    if (sessions.length > 1) options.say(session.id)
    try {
      yield { session, landing: await landOne(config, session, options) }
    } catch (thrown) {
      const error = toStorageError(undefined, thrown)
      yield { session, error: error instanceof DispatchError ? error : createInternalError(error) }
    }
  }
}

/** The exit code of one result: 0 landed or ready, 3 red, 5 conflict, stale or refused, 12 without a judge. Pure. */
export function getLandingExitCode({ landing, error }: LandingResult, isDryRun: boolean): ExitCode {
  if (error) return error.exitCode
  switch (landing?.state) {
    case 'landed':
      return exitCodes.ok
    case 'ready':
      return isDryRun ? exitCodes.ok : exitCodes.conflict
    case 'red':
      return exitCodes.fail
    case 'undecided':
      return exitCodes.inconclusive
    default:
      return exitCodes.conflict
  }
}

// --- internal ---

async function landOne(config: Config, session: Session, options: LandingOptions): Promise<LandingStatus> {
  const { method, author, isDryRun, isAtTerminal, say } = options
  refuseNewerFormat(session)
  const checkout = await findTargetRepository(session, options.repo, [config.home, config.installFolder])
  refuseHome(config, checkout.path)
  const { status } = await readView(session)
  await requirePass(session, status)
  const local = options.into ?? (await findBaseBranch(session.paths))
  if (local === undefined)
    throw new DispatchError(`session ${session.id} started from a commit, not from a branch`, {
      exitCode: exitCodes.usage,
      remedy: 'Name the branch of the remote: --into BRANCH',
    })
  const { remote, branch } = await findUpstream(checkout.path, local, options.into !== undefined)
  const transport = await readTransport(checkout.path, remote)
  if (isDryRun && (await isSessionOpen(session, config)))
    throw new DispatchError(`session ${session.id} is open, and landing would end it`, {
      exitCode: exitCodes.conflict,
      remedy: `Nothing was changed. End it first: dispatch stop ${session.id.slice(-4)}`,
    })
  await stopSession(session, config)
  const secrets = listKnownSecrets(config)
  const request = { method, author, isDryRun, isAtTerminal, say, checkout: checkout.path, transport, branch, secrets }
  return landAlone(config, checkout.path, say, () => landSession(session, config, request))
}

/** In a folder below the home, agents can write the configuration of git, which names programs that git runs. */
function refuseHome({ home }: Config, checkout: string): void {
  if (!`${fs.realpathSync(checkout)}/`.startsWith(`${fs.realpathSync(home)}/`)) return
  throw new DispatchError(`${checkout} is below ${home}, where agents write`, {
    exitCode: exitCodes.usage,
    remedy: 'Name a checkout of your own: --repo DIR',
  })
}

async function sortBySize(sessions: Session[]): Promise<Session[]> {
  const sized = await Promise.all(
    sessions.map(async session => ({ session, files: await countFiles(session).catch(() => Number.MAX_SAFE_INTEGER) })),
  )
  return sized.toSorted((a, b) => a.files - b.files).map(({ session }) => session)
}

async function countFiles(session: Session): Promise<number> {
  const { base, verdict } = (await readView(session)).status
  return base && verdict ? (await listChangedPaths(session.paths, base.commit, verdict.commit)).length : 0
}

function createInternalError(error: unknown): DispatchError {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new DispatchError(`internal error, please report it: ${text}`, { exitCode: exitCodes.internal })
}
