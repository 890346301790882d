import { randomBytes } from 'node:crypto'
import type { Forge } from '#forge'
import {
  type CheckDetails,
  type CheckReport,
  type FollowedPull,
  leaveOutResolved,
  listRedChecks,
  listRequiredChecks,
  readAnnotations,
  readCheckReports,
  readJobLog,
  readOwnLogin,
  readWords,
  selectFindings,
} from '#forge/feedback'
import type { Config } from '#host/config'
import { readTransport } from '#host/git/upstream'
import { redactAll, redactSecrets } from '#host/secrets'
import { formatCount, formatNames } from '#host/text.ts'
import { wakeQueue } from '#queue'
import { fetchNewestCommit } from '#runner/pull-request/index.ts'
import { findSession } from '#session'
import { listSecretsOf } from '#session/secrets'
import { findTargetBranch } from '../landing/land-one.ts'
import { MAX_RETRY_COUNT } from '../landing/outcome.ts'
import { withQueue } from '../queue/open.ts'
import { buildRetryItem } from '../queue/retry-item.ts'
import { renderAttemptTask } from './attempt-task.ts'
import { findIfPresent, listPushedCommits, readFirst } from './newest-session.ts'
import {
  countFailure,
  getAttemptKey,
  listSessionsOf,
  type PullRequestRecord,
  writePullRequestRecord,
} from './record.ts'
import { withholdSecrets } from './withhold-secrets.ts'

/**
 * Read what came back for the commit that dispatch has pushed. If there is something to settle, begin a new attempt; a person is needed
 * where dispatch has made its two by itself, or where another person has pushed to the branch.
 */
export async function beginAttempt(
  config: Config,
  forge: Forge,
  record: PullRequestRecord,
  pull: FollowedPull,
): Promise<PullRequestRecord> {
  const write = (changes: Partial<PullRequestRecord>) => writePullRequestRecord(config.home, record, changes)
  const { headCommit, base } = pull
  const pushed = listPushedCommits(config, record)
  if (!pushed.includes(headCommit))
    return write({
      state: 'needs you',
      reason: `another person has pushed ${headCommit.slice(0, 10)} to its branch`,
      isBlocked: true,
    })
  if (pushed.at(-1) !== headCommit) {
    // GitHub may not have seen the last push yet.
    const reason = `its branch is at ${headCommit.slice(0, 10)}, which dispatch has pushed before ${pushed.at(-1)?.slice(0, 10)}: the last push did not arrive, or another person has put the branch back`
    return countFailure(config.home, record, { reason, isBlocked: true })
  }
  const secrets = listSecretsOf(config, listSessionsOf(record))
  const { findings, ignored } = await findWhatToSettle(forge, record, pull, secrets)
  const seen = { ignored, base }
  if (findings.length === 0)
    return JSON.stringify([record.ignored, record.base]) === JSON.stringify([ignored, base]) ? record : write(seen)
  const titles = findings.map(({ title }) => title)
  const names = formatNames(redactAll(titles, secrets))
  const missing = findMissing(config, record)
  if (missing !== undefined) {
    const reason = `${names}: a new attempt needs session ${missing}, which was removed`
    return write({ ...seen, state: 'needs you', reason })
  }
  if (record.retries >= MAX_RETRY_COUNT) {
    const reason = `after ${formatCount(record.retries, 'new attempt')}: ${names}`
    return write({ ...seen, state: 'needs you', reason })
  }
  const hasConflict = findings.some(({ kind }) => kind === 'conflict')
  const startCommit = hasConflict ? await fetchBase(config, record, base) : headCommit
  const attempt = { id: randomBytes(16).toString('hex'), findings, startCommit, item: null, outcome: null }
  const begun = write({ ...seen, state: 'retrying', reason: '', retries: record.retries + 1, attempt })
  return enqueueAttempt(config, begun)
}

/** Put the new attempt of a record into the queue. Asked for twice, it is the same item. */
export async function enqueueAttempt(config: Config, record: PullRequestRecord): Promise<PullRequestRecord> {
  const { attempt, sessions, number, checkout, url, retries } = record
  if (attempt === null) throw new Error(`no new attempt in ${url}`)
  const first = record.first ?? readFirst(findSession(config.workspace, sessions[0] ?? ''))
  const task = renderAttemptTask(record, attempt, first.task)
  const work = await buildRetryItem(findSession(config.workspace, sessions.at(-1) ?? ''), {
    checkout,
    key: getAttemptKey(attempt.id),
    task: Buffer.from(task),
    title: `#${number} ${first.title}`,
    source: `${url}, new attempt ${retries}`,
  })
  const [item = null] = await withQueue(config, queue => queue.enqueue([work]))
  wakeQueue(config.home)
  return writePullRequestRecord(config.home, record, { attempt: { ...attempt, item } })
}

// --- internal ---

/** The jobs of a matrix mostly fail at the same. */
const MAX_LOG_COUNT = 3

/** A session without which no new attempt can be made, if one was removed. */
function findMissing(config: Config, { sessions, first }: PullRequestRecord): string | undefined {
  const needed = [...(first === undefined ? sessions.slice(0, 1) : []), ...sessions.slice(-1)]
  return needed.find(id => findIfPresent(config, id) === undefined)
}

/** Whether words were hidden is asked only where they would begin something. Whose words are not read is told also of hidden ones. */
async function findWhatToSettle(forge: Forge, record: PullRequestRecord, pull: FollowedPull, secrets: string[]) {
  const feedback = await readFeedback(forge, record, pull, secrets)
  const selected = selectFindings(feedback)
  if (selected.findings.every(({ words }) => words.length === 0)) return selected
  const words = await leaveOutResolved(forge, record.number, feedback.words)
  return { ...selectFindings({ ...feedback, words }), ignored: selected.ignored }
}

async function readFeedback(
  forge: Forge,
  { number, settled }: PullRequestRecord,
  pull: FollowedPull,
  secrets: string[],
) {
  const { headCommit: commit, base, isMergeable, isBehind } = pull
  const reports = await readCheckReports(forge, commit)
  const isRed = reports.some(({ state }) => state === 'red')
  const required = isRed ? await listRequiredChecks(forge, base) : []
  const details = new Map<CheckReport, CheckDetails>()
  for (const [index, report] of listRedChecks({ reports, required }).entries())
    details.set(report, {
      annotations: await readAnnotations(forge, report),
      log: index < MAX_LOG_COUNT ? await readJobLog(forge, report, log => redactSecrets(log, secrets).text) : [],
    })
  const [words, ownLogin] = [await readWords(forge, number), await readOwnLogin(forge)]
  const said = withholdSecrets({ reports, details }, secrets)
  return { commit, base, isMergeable, isBehind, ...said, required, words, ownLogin, settled }
}

async function fetchBase(config: Config, { sessions, checkout }: PullRequestRecord, base: string): Promise<string> {
  const session = findSession(config.workspace, sessions.at(-1) ?? '')
  const { remote, branch } = await findTargetBranch(session, checkout, base, '--base')
  return fetchNewestCommit(session, config, { transport: await readTransport(checkout, remote), branch })
}
