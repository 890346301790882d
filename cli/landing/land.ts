import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { findUpstream, readTransport } from '#host/git/upstream'
import { listKnownSecrets } from '#host/secrets'
import { landSession, stopSession } from '#runner'
import { findTargetRepository, findWorkToApply, refuseNewerFormat, type Session } from '#session'
import { findBaseBranch, type LandingStatus } from '#session/landing'
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
 * that is open is closed before. One that does not land keeps no other.
 */
export async function landSessions(
  config: Config,
  sessions: Session[],
  options: LandingOptions,
): Promise<LandingResult[]> {
  for (const session of sessions) refuseNewerFormat(session)
  const ordered = options.keepsOrder ? sessions : await sortBySize(sessions)
  const results: LandingResult[] = []
  for (const session of ordered) {
    options.say(`${session.id}`)
    try {
      results.push({ session, landing: await landOne(config, session, options) })
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      results.push({ session, error })
    }
  }
  return results
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
  const checkout = await findTargetRepository(session, options.repo, [config.home, config.installFolder])
  const { status } = await readView(session)
  const { warning } = await findWorkToApply(session, status)
  if (warning !== undefined)
    throw new DispatchError(`session ${session.id} does not land. ${warning}`, {
      exitCode: exitCodes.conflict,
      remedy: `Only a valid PASS lands. To look at it: dispatch show ${session.id.slice(-4)}`,
    })
  const local = options.into ?? (await findBaseBranch(session.paths)) ?? checkout.branch
  if (local === null)
    throw new DispatchError(`session ${session.id} started from a commit, not from a branch`, {
      exitCode: exitCodes.usage,
      remedy: 'Name the branch: --into BRANCH',
    })
  const { remote, branch } = await findUpstream(checkout.path, local)
  const transport = await readTransport(checkout.path, remote)
  await stopSession(session, config)
  const secrets = listKnownSecrets(config)
  const request = { method, author, isDryRun, isAtTerminal, say, checkout: checkout.path, transport, branch, secrets }
  return landAlone(config, checkout.path, say, () => landSession(session, config, request))
}

async function sortBySize(sessions: Session[]): Promise<Session[]> {
  const sized = await Promise.all(
    sessions.map(async session => {
      const { status } = await readView(session)
      const { base, verdict } = status
      const files = base && verdict ? (await listChangedPaths(session.paths, base.commit, verdict.commit)).length : 0
      return { session, files }
    }),
  )
  return sized.toSorted((a, b) => a.files - b.files).map(({ session }) => session)
}
