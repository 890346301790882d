import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { tryGit } from '#host/git'
import { describeRemote, fetchBranch, pushCommit, type Transport } from '#host/git/upstream'
import { commitAsUser, type NewCommit } from '#host/git/user'
import { sha256 } from '#host/hash.ts'
import { isProjectConfirmed, parseProject, projectFileName } from '#host/project'
import { redactSecrets } from '#host/secrets'
import { formatNames } from '#host/text.ts'
import { findWorkToApply, type WorkToApply } from '#session'
import { readCurrentVerdict } from '#session/evidence'
import {
  type LandingMethod,
  type LandingStatus,
  listLfsVersions,
  renderSquashMessage,
  replayWork,
} from '#session/landing'
import { type Commit, createReference } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { verifyRecord } from '../rounds/verify-record.ts'
import { checkLanding } from './check-landing.ts'

/** Where and how the work of a session is to land. */
export interface LandingRequest {
  /** The user's checkout, whose git configuration and identity count. */
  checkout: string
  transport: Transport
  /** The branch of the remote. */
  branch: string
  method: LandingMethod
  /** Whose name stands as the author. With `both`, the worker is named as well. */
  author: 'worker' | 'me' | 'both'
  /** Find out all of it, and push nothing. */
  isDryRun: boolean
  /** May git ask for the password of a signing key? */
  isAtTerminal: boolean
  /** Left out of messages. */
  secrets: string[]
  /** Called with each step that takes a while. */
  say(text: string): void
}

/**
 * Bring the judged work onto a branch of the user's remote. Exit 5 without a valid PASS. The target is fetched into the session's own
 * repository; nothing touches the user's checkout, and no agent can write there. Only a commit that was checked is pushed, without
 * force. If the branch moves meanwhile, all of it begins again on the new tip.
 */
export async function landSession(context: RunnerContext, request: LandingRequest): Promise<LandingStatus> {
  const { session } = context
  const { paths } = session
  const { transport, branch, say } = request
  verifyRecord(context)
  const work = await requirePass(context)
  await refuseLfs(context, work)
  const remote = await describeRemote(transport)
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    say(`Fetching ${branch} from ${transport.remote} …`)
    await fetchBranch(paths.bareRepository, transport, branch, TARGET_REF)
    const target = await readTarget(context)
    if (await isLanded(context, branch, target)) return readLanding(context)
    const replay = await replayWork({
      repository: paths,
      work,
      target,
      method: request.method,
      message: composeMessage(context, request),
      trailers: composeTrailers(context, work),
      createCommit: commit => createCommit(context, request, commit),
    })
    if ('conflicts' in replay) return recordConflict(context, branch, target, replay.conflicts)
    if (replay.tree === target.tree) return recordConflict(context, branch, target, [], ALREADY_THERE)
    const head = { commit: replay.commit, tree: replay.tree }
    await createReference(paths, `landing-${(context.status.landing?.number ?? 0) + 1}`, head.commit)
    say(head.tree === work.tree ? 'The tree is the judged one.' : `Proving the contract on top of ${branch} …`)
    const gates = await readGates(context, request, target)
    const candidate = { remote, branch, method: request.method, target, head, judged: work, gates }
    const { result, number } = await checkLanding(context, candidate)
    if (result !== 'ready' || request.isDryRun) return readLanding(context)
    say(`Pushing ${head.commit.slice(0, 10)} to ${branch} …`)
    const pushed = await pushCommit(paths.bareRepository, transport, { ...head, branch, expected: target.commit })
    if (pushed.kind === 'pushed') {
      context.record({ type: 'landing.pushed', number, branch, ...head })
      return readLanding(context)
    }
    if (pushed.kind === 'refused') {
      const reason = `${transport.remote} refused the push: ${pushed.reason}`
      context.record({ type: 'landing.refused', branch, target: target.commit, cause: 'refused', reason, files: [] })
      return readLanding(context)
    }
    say(`${branch} has moved meanwhile.`)
  }
  throw new DispatchError(`${branch} moved ${MAX_ATTEMPTS} times while the work was being checked`, {
    exitCode: exitCodes.conflict,
    remedy: 'Nothing was pushed. Try again when it is quieter.',
  })
}

// --- internal ---

const MAX_ATTEMPTS = 20
const TARGET_REF = 'refs/landing/target'
const ALREADY_THERE = 'the branch has all of this work already'

async function requirePass({ session, status }: RunnerContext): Promise<WorkToApply> {
  const work = await findWorkToApply(session, status)
  if (work.warning === undefined) return work
  throw new DispatchError(`session ${session.id} does not land. ${work.warning}`, {
    exitCode: exitCodes.conflict,
    remedy: `Only a valid PASS lands. To look at it: dispatch show ${session.id.slice(-4)}`,
  })
}

/** A push would leave the branch with pointers that lead nowhere. */
async function refuseLfs({ session }: RunnerContext, work: WorkToApply): Promise<void> {
  const files = (await listLfsVersions(session.paths, work)).flatMap(({ path: file, pointer }) =>
    pointer ? [file] : [],
  )
  if (files.length === 0) return
  throw new DispatchError(`the work has files of Git LFS, which dispatch does not upload: ${formatNames(files)}`, {
    exitCode: exitCodes.conflict,
    remedy: `Push it yourself: dispatch apply ${session.id.slice(-4)}, then git push`,
  })
}

async function readTarget({ session: { paths } }: RunnerContext): Promise<Commit> {
  const read = async (what: string) =>
    (await tryGit(['--git-dir', paths.bareRepository, 'rev-parse', what])).stdout.trim()
  return { commit: await read(`${TARGET_REF}^{commit}`), tree: await read(`${TARGET_REF}^{tree}`) }
}

/** Is what was checked before on the branch? A process that was killed after its push has not recorded it. */
async function isLanded(context: RunnerContext, branch: string, target: Commit): Promise<boolean> {
  const { landing } = context.status
  if (landing?.commit === undefined || landing.tree === undefined || landing.branch !== branch) return false
  if (landing.state !== 'ready' && landing.state !== 'landed') return false
  const args = ['merge-base', '--is-ancestor', landing.commit, target.commit]
  const ran = await tryGit(['--git-dir', context.session.paths.bareRepository, ...args])
  if (ran.exitCode !== 0) return false
  const { number, commit, tree } = landing
  if (landing.state === 'ready') context.record({ type: 'landing.pushed', number, branch, commit, tree })
  return true
}

function readLanding({ status }: RunnerContext): LandingStatus {
  if (status.landing) return status.landing
  throw new Error('a landing was recorded, and is not in the status')
}

function recordConflict(
  context: RunnerContext,
  branch: string,
  target: Commit,
  files: string[],
  reason = files.length > 0
    ? `the work and the branch changed the same places: ${formatNames(files)}`
    : 'its commits do not merge one by one',
): LandingStatus {
  context.record({ type: 'landing.refused', branch, target: target.commit, cause: 'conflict', reason, files })
  return readLanding(context)
}

/** The gates in the project file of the branch. Exit 5 where nothing holds a command, and the user has not confirmed the file. */
async function readGates(
  { session, config }: RunnerContext,
  { branch, checkout }: LandingRequest,
  target: Commit,
): Promise<string[]> {
  const args = ['--git-dir', session.paths.bareRepository, 'cat-file', 'blob', `${target.commit}:${projectFileName}`]
  const ran = await tryGit(args)
  if (ran.exitCode !== 0) return []
  const { gates } = parseProject(`${projectFileName} of ${branch}`, ran.stdout)
  const isHeld = session.manifest.sandbox.kind !== null
  if (gates.length === 0 || isHeld || isProjectConfirmed(config.home, checkout, sha256(ran.stdout))) return gates
  throw new DispatchError(
    `you have not confirmed the gates in ${projectFileName} of ${branch}, and there is no sandbox`,
    {
      exitCode: exitCodes.conflict,
      remedy: 'Pull the branch, read the file, then: dispatch prepare',
    },
  )
}

function composeMessage({ session, status }: RunnerContext, { secrets }: LandingRequest): string {
  const task = fs.readFileSync(session.paths.task, 'utf8')
  const verdict = readCurrentVerdict(session.paths, status)
  return redactSecrets(renderSquashMessage({ sessionId: session.id, task, verdict }), secrets).text.replace(
    /\n\nVerdict: [^\n]*\nSession: [^\n]*\n$/,
    '',
  )
}

function composeTrailers({ session, status }: RunnerContext, { tree }: WorkToApply): string {
  const { verdict, contract } = status
  const proved = `${verdict?.verdict ?? 'none'}, contract ${contract?.sha256.slice(0, 16) ?? 'none'}`
  return [`Dispatch-Session: ${session.id}`, `Dispatch-Verdict: ${proved}`, `Dispatch-Tree: ${tree}`].join('\n')
}

/** The objects go into the session's repository; name, key and signature are those of the user. */
async function createCommit(
  { session }: RunnerContext,
  { checkout, author, isAtTerminal }: LandingRequest,
  commit: NewCommit,
): Promise<string> {
  const worker = commit.author ?? { name: 'Claude Dispatch worker', email: 'worker@localhost' }
  const message =
    author === 'both'
      ? `${commit.message.trimEnd()}\nCo-authored-by: ${worker.name} <${worker.email}>\n`
      : commit.message
  const own = author === 'worker' ? { ...commit, author: worker } : { ...commit, author: undefined }
  const objectFolder = path.join(session.paths.bareRepository, 'objects')
  return commitAsUser(checkout, { ...own, message }, { isAtTerminal, objectFolder })
}
