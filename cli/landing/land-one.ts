import fs from 'node:fs'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { isBranchName } from '#host/git'
import { findUpstream, readTransport } from '#host/git/upstream'
import { requireGitToLand } from '#host/versions.ts'
import { getLandingFolder } from '#landing'
import { listProjects, type RegisteredProject } from '#projects'
import { isSessionOpen, landSession, stopSession } from '#runner'
import { findTargetRepository, refuseNewerFormat, type Session } from '#session'
import { type LandingStatus, readBaseBranch, requirePass } from '#session/landing'
import { listSessionSecrets } from '#session/secrets'
import { readView } from '#session/status'

type LandingRequest = Parameters<typeof landSession>[2]

/** How one session is to land. */
export interface LandOneOptions
  extends Pick<LandingRequest, 'method' | 'author' | 'isDryRun' | 'isAtTerminal' | 'say'> {
  /** The branch of the remote; undefined: the one that the session started from. */
  into: string | undefined
  /** Another checkout than that of the session. */
  repo: string | undefined
}

/** Land one session. The caller is the lander of its repository. A session that is open is closed before. */
export async function landOne(config: Config, session: Session, options: LandOneOptions): Promise<LandingStatus> {
  const { method, author, isDryRun, isAtTerminal, say } = options
  await requireGitToLand(config)
  const checkout = await findCheckoutToLand(config, session, options.repo)
  const isOpen = await isSessionOpen(session, config)
  // Before it is closed. At one that has ended, the landing itself looks.
  if (isOpen) await requirePass(session, (await readView(session)).status)
  const { remote, branch } = await findTargetBranch(session, checkout, options.into)
  const transport = await readTransport(checkout, remote)
  if (isDryRun && isOpen)
    throw new DispatchError(`session ${session.id} is open, and landing would end it`, {
      exitCode: exitCodes.conflict,
      remedy: `Nothing was changed. End it first: dispatch stop ${session.id.slice(-4)}`,
    })
  await stopSession(session, config)
  const secrets = listSessionSecrets(config, session.paths)
  const ownGates = (await findProjectOf(config, checkout))?.gates ?? []
  const request = { method, author, isDryRun, isAtTerminal, say, checkout, transport, branch, secrets, ownGates }
  return landSession(session, config, request)
}

/** The checkout from whose remote the branch is reached. Exit 2 for one that agents can write. */
export async function findCheckoutToLand(config: Config, session: Session, repo: string | undefined): Promise<string> {
  refuseNewerFormat(session)
  const checkout = await findTargetRepository(session, repo, [config.home, config.installFolder])
  refuseHome(config, checkout.path)
  return checkout.path
}

/** The remote and its branch. Exit 2 where the session does not say it, or `into` cannot be one; `option` then names the branch. */
export async function findTargetBranch(
  session: Session,
  checkout: string,
  into: string | undefined,
  option = '--into',
): Promise<{ remote: string; branch: string }> {
  if (into !== undefined && !(await isBranchName(into)))
    throw new DispatchError(`"${into}" is not a valid branch name`, {
      exitCode: exitCodes.usage,
      remedy: `Name the branch of the remote: ${option} BRANCH`,
    })
  const local = into ?? (await readBaseBranch(session))
  if (local !== null) return findUpstream(checkout, local, into !== undefined, option)
  throw new DispatchError(`session ${session.id} started from a commit, not from a branch`, {
    exitCode: exitCodes.usage,
    remedy: `Name the branch of the remote: ${option} BRANCH`,
  })
}

/** The project of a checkout, which may be another work tree of its repository. */
export async function findProjectOf(config: Config, checkout: string): Promise<RegisteredProject | undefined> {
  const projects = listProjects(config.home)
  const own = projects.find(project => project.path === checkout)
  if (own) return own
  const gated = projects.filter(({ gates }) => gates.length > 0)
  if (gated.length === 0) return undefined
  const folder = await getLandingFolder(config.home, checkout)
  for (const project of gated)
    if ((await getLandingFolder(config.home, project.path).catch(() => '')) === folder) return project
  return undefined
}

// --- internal ---

/** In a folder below the home, agents can write the configuration of git, which names programs that git runs. */
function refuseHome({ home }: Config, checkout: string): void {
  if (!`${fs.realpathSync(checkout)}/`.startsWith(`${fs.realpathSync(home)}/`)) return
  throw new DispatchError(`${checkout} is below ${home}, where agents write`, {
    exitCode: exitCodes.usage,
    remedy: 'Name a checkout of your own: --repo DIR',
  })
}
