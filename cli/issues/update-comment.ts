import type { Forge } from '#forge'
import { editComment } from '#forge/issues'
import type { Config } from '#host/config'
import { sha256 } from '#host/hash.ts'
import { redactAll } from '#host/secrets'
import type { Item } from '#queue'
import type { Session } from '#session'
import { listSecretsOf } from '#session/secrets'
import { readView } from '#session/status'
import { readPublishedMatrix } from '../output/published-matrix.ts'
import { withQueue } from '../queue/open.ts'
import { renderIssueComment } from './comment-text.ts'
import { formatIssue, type IssueRecord, writeRecord } from './record.ts'

/**
 * Keep the one comment of a claim as it should read now. GitHub is asked only where its text has changed. Returns since when the session
 * has been closed.
 */
export async function updateComment(
  config: Config,
  record: IssueRecord,
  { item, session }: { item: Item | undefined; session: Session | undefined },
  connect: () => Promise<Forge>,
  say: (line: string) => void,
): Promise<string | undefined> {
  const view = session && (await readView(session))
  const matrix = view?.status.verdict === undefined ? undefined : await readPublishedMatrix(config, view)
  const ids = [session?.id, item?.sessionId].filter(id => id != null)
  const secrets = listSecretsOf(config, ids)
  const body = renderIssueComment({
    record,
    item: item && redactAll(item, secrets),
    view: view && { ...view, ...redactAll({ status: view.status, state: view.state }, secrets) },
    matrix,
  })
  const commentHash = sha256(body)
  if (commentHash !== record.commentHash && record.commentId !== null) {
    if (!(await editComment(await connect(), record.commentId, body))) {
      await endLost(config, record, item, say)
      return undefined
    }
    writeRecord(config.home, record, { commentHash })
    say(`${formatIssue(record)}: ${body.split('\n')[1]?.replace(/^.*: /, '') ?? ''}`)
  }
  return view?.status.closed === undefined ? undefined : view.status.lastEventAt
}

// --- internal ---

/** Its comment is gone: another machine has taken it over, or a person has ended it on GitHub. What runs is left to its person. */
async function endLost(config: Config, record: IssueRecord, item: Item | undefined, say: (line: string) => void) {
  const reason = 'its comment was deleted on GitHub'
  if (item?.state === 'waiting' || item?.state === 'needs you')
    await withQueue(config, queue => queue.cancel(item.id, reason))
  writeRecord(config.home, record, { state: 'lost', reason })
  say(`${formatIssue(record)}: no longer claimed, ${reason}`)
}
