import fs from 'node:fs'
import {
  connectForge,
  type Forge,
  findPullRequest,
  type PublishedPullRequest,
  type PullRequest,
  publishPullRequest,
  renderSection,
  requireOpen,
} from '#forge'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findPushRemote, readTransport, type Transport } from '#host/git/upstream'
import { redactSecrets } from '#host/secrets'
import { splitList } from '#host/text.ts'
import { isSessionOpen, stopSession } from '#runner'
import { createUnprovedError, publishWork } from '#runner/pull-request/index.ts'
import { findWorkToApply, refuseNewerFormat, type Session, type WorkToApply } from '#session'
import { readCurrentVerdict } from '#session/evidence'
import { disarm, renderWorkMessage } from '#session/landing'
import { listChangedPaths } from '#session/repository'
import { listSessionSecrets } from '#session/secrets'
import { isSettled, readView, type SessionView } from '#session/status'
import { renderMatrix } from '#session/traceability'
import { readStatus } from '../input/session.ts'
import { findCheckoutToLand, findTargetBranch } from '../landing/land-one.ts'
import { readPublishedMatrix } from '../output/published-matrix.ts'
import { findIfPresent, listPreparedCommits, listPushedCommits, readFirst } from './newest-session.ts'
import { findRecordFor, rememberPullRequest, withPullRequest } from './record.ts'
import { findForgeRepository } from './remote.ts'

/** What a person asked for with `dispatch pr`. */
export interface PullRequestOptions {
  base: string | undefined
  branch: string | undefined
  repo: string | undefined
  /** Open a draft, also of work without a valid PASS. */
  isDraft: boolean
  labels: string[]
  reviewers: string[]
  /** The issues that are done when it is merged: `#12`. */
  closes: string[]
  author: 'me' | 'worker' | 'both'
  isAtTerminal: boolean
  /** Commits on the branch that earlier sessions of the same pull request have pushed, where its record does not say so yet. */
  replaceable?: string[]
  /** One that is there stays in the branch into which a person has put it. */
  keepsBase?: boolean
  /** This process has the record of the pull request to itself already. */
  hasRecord?: boolean
  /** What this home says of its pull requests does not count, and nothing is added: others could write there. */
  ignoresRecords?: boolean
  say(text: string): void
}

/** What is on GitHub now. */
export interface OpenResult {
  session: Session
  number: number
  url: string
  branch: string
  base: string
  isDraft: boolean
  isNew: boolean
  /** Why it is no valid PASS; undefined for one. */
  warning: string | undefined
  /** What GitHub did not take, such as a reviewer. */
  problems: string[]
}

/** The way to the pull request of a session: checkout, remotes, login, and the one that is there already. */
export interface PullRequestPlace {
  checkout: string
  /** The branch into which it is to be merged. */
  base: string
  transport: Transport
  pushTransport: Transport
  /** The address to which the branch is pushed. */
  remote: string
  headOwner: string
  branch: string
  forge: Forge
  found: PullRequest | undefined
}

/** Find out where the pull request of a session is, or would be. Nothing is changed. Exit 7 without a login. */
export async function findPullRequestPlace(
  config: Config,
  session: Session,
  options: Pick<PullRequestOptions, 'base' | 'branch' | 'repo' | 'ignoresRecords' | 'say'>,
): Promise<PullRequestPlace> {
  const checkout = await findCheckoutToLand(config, session, options.repo)
  // It stays where it was opened, and a new attempt goes to the branch of its pull request.
  const known = (await readView(session)).status.pullRequest ?? findRecord(config, session, options)
  const { remote, branch: base } = await findTargetBranch(session, checkout, options.base ?? known?.base, '--base')
  const transport = await readTransport(checkout, remote)
  const pushTransport = await readTransport(checkout, await findPushRemote(checkout, base, remote))
  const address = await findForgeRepository(transport, 'fetch')
  const head = await findForgeRepository(pushTransport, 'push')
  const forge = await connectForge(address.repository, config, seconds =>
    options.say(`Waiting ${seconds} s for GitHub's rate limit …`),
  )
  const branch = options.branch ?? known?.branch ?? `dispatch/${session.id}`
  const place = { headOwner: head.repository.owner, branch }
  const found = await findPullRequest(forge, { ...place, sessionId: session.id })
  return { ...place, checkout, base, transport, pushTransport, remote: head.address, forge, found }
}

/**
 * Push the work of a session as a branch, and open its pull request or bring it up to date. An open session is ended first, because only
 * its runner may record. Nothing is pushed before the login and the repository are known.
 */
export async function openPullRequest(
  config: Config,
  session: Session,
  options: PullRequestOptions,
): Promise<OpenResult> {
  refuseNewerFormat(session)
  const view = await readView(session)
  const work = await requireWork(config, view, options)
  const { found, forge, headOwner, branch, base, ...place } = await findPullRequestPlace(config, session, options)
  if (found !== undefined) requireOpen(found, session.id)
  await stopSession(session, config)
  const record = findRecord(config, session, options)
  const before = (record?.sessions ?? []).flatMap(id => readClosedIssues(config, id))
  const closes = [...new Set([...before, ...(view.status.pullRequest?.closes ?? []), ...options.closes])]
  const texts = await composeTexts(config, view, work, closes)
  const replaceable = options.replaceable ?? (record === undefined ? [] : listPushedCommits(config, record))
  let published: PublishedPullRequest | undefined
  const opened = await publishWork(session, config, {
    ...{ ...place, author: options.author, isAtTerminal: options.isAtTerminal, say: options.say },
    ...{
      secrets: listSessionSecrets(config, session.paths),
      base,
      branch,
      replaceable,
      allowsUnproved: options.isDraft,
    },
    open: async () => {
      const request = { sessionId: session.id, headOwner, branch, base, ...texts }
      const isOwnDraft = view.status.pullRequest?.isDraft ?? record?.isDraft ?? false
      published = await publish(config, forge, request, { ...options, isOwnDraft })
      const { number, url, base: actual } = published.pullRequest
      // Recorded is whether dispatch has made a draft of it. One that a person has made stays one.
      return { number, url, base: actual, isDraft: options.isDraft, isNew: published.isNew, closes }
    },
  })
  const isDraft = published?.pullRequest.isDraft ?? opened.isDraft
  const { host, owner, name, isPlainHttp } = forge.address
  const facts = {
    ...{ host, owner, name, isPlainHttp, number: opened.number, url: opened.url, session: session.id },
    ...{ checkout: place.checkout, base: opened.base, branch, author: options.author, isDraft: options.isDraft },
    ...{ first: readFirst(session), commits: listPreparedCommits(session, branch) },
  }
  if (options.hasRecord) rememberPullRequest(config.home, facts)
  else if (!options.ignoresRecords)
    await withPullRequest(config.home, facts, () => rememberPullRequest(config.home, facts))
  return { session, branch, warning: work.warning, problems: published?.problems ?? [], ...opened, isDraft }
}

// --- internal ---

function findRecord(config: Config, session: Session, { ignoresRecords }: Pick<PullRequestOptions, 'ignoresRecords'>) {
  return ignoresRecords ? undefined : findRecordFor(config.home, session)
}

interface Place {
  sessionId: string
  headOwner: string
  branch: string
  base: string
  title: string
  section: string
}

/** The issues that an earlier session of the same pull request closes. */
function readClosedIssues(config: Config, id: string): string[] {
  const session = findIfPresent(config, id)
  return (session && readStatus(session).pullRequest?.closes) ?? []
}

/** Exit 5 without a valid PASS; for a draft, while the session is still at work. */
async function requireWork(
  config: Config,
  { session, status }: SessionView,
  { isDraft }: PullRequestOptions,
): Promise<WorkToApply> {
  const work = await findWorkToApply(session, status)
  if (work.warning === undefined) return work
  if (!isDraft) throw createUnprovedError(session.id, work.warning)
  if (isSettled(status) || !(await isSessionOpen(session, config))) return work
  throw new DispatchError(`session ${session.id} is still at work, and a pull request would end it`, {
    exitCode: exitCodes.conflict,
    remedy: `Wait for its verdict, or end it first: dispatch stop ${session.id.slice(-4)}`,
  })
}

/** A draft that dispatch has made becomes ready with the next PASS; one that a person has made stays one. */
function publish(
  config: Config,
  forge: Forge,
  place: Place,
  { isDraft, isOwnDraft, base, keepsBase, labels, reviewers }: PullRequestOptions & { isOwnDraft: boolean },
) {
  return publishPullRequest(forge, {
    ...place,
    movesBase: base !== undefined && keepsBase !== true,
    isDraft: isDraft ? true : isOwnDraft ? false : undefined,
    labels: [...new Set([...splitList(config.PULL_REQUEST_LABELS), ...labels])],
    reviewers: [...new Set([...splitList(config.PULL_REQUEST_REVIEWERS), ...reviewers])],
  })
}

/** Title and body, without secrets: the task and the matrix are published. */
async function composeTexts(
  config: Config,
  view: SessionView,
  work: WorkToApply,
  closes: string[],
): Promise<{ title: string; section: string }> {
  const { session, status } = view
  const secrets = listSessionSecrets(config, session.paths)
  const redact = (text: string) => redactSecrets(text, secrets).text
  const task = redact(fs.readFileSync(session.paths.task, 'utf8'))
  const matrix = await readPublishedMatrix(config, view)
  const verdict = readCurrentVerdict(session.paths, status)
  const changes = await listChangedPaths(session.paths, work.base, work.commit)
  const section = renderSection({
    // A merge on GitHub may take the description for the message of the commit.
    ...{
      sessionId: session.id,
      task: disarm(task, task),
      matrix,
      warning: work.warning && redact(work.warning),
      closes,
    },
    renderMatrix: maxChars => renderMatrix(matrix, maxChars),
    changedFiles: changes.map(({ path }) => redact(path)),
  })
  const [subject = ''] = renderWorkMessage({ sessionId: session.id, task, verdict }).split('\n')
  return { title: redact(subject), section }
}
