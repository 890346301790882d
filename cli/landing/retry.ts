import fs from 'node:fs'
import type { Config } from '#host/config'
import type { Landing, LandingQueue } from '#landing'
import { type Item, type NewItem, wakeQueue } from '#queue'
import { findSession, type Session } from '#session'
import { requirePass } from '#session/landing'
import { listChangedPaths } from '#session/repository'
import { readView } from '#session/status'
import { readStatus } from '../input/session.ts'
import { withQueue } from '../queue/open.ts'

/**
 * Have the task of a session done again on the newest state of the branch, told why its work did not land. Returns the item of the
 * queue; asked for twice, it is the same one.
 */
export async function startRetry(config: Config, entry: Landing): Promise<string> {
  const session = findSession(config.workspace, entry.session)
  const [item = ''] = await withQueue(config, queue => queue.enqueue([buildRetryItem(session, entry)]))
  wakeQueue(config.home)
  return item
}

/** Have each entry that was sent back wait again, as soon as its new attempt has a PASS. */
export async function advanceRetries(config: Config, queue: LandingQueue): Promise<void> {
  const sentBack = queue.list().filter(({ state }) => state === 'sent back')
  if (sentBack.length === 0) return
  const items = await withQueue(config, starts =>
    Promise.all(sentBack.map(({ retryItem }) => starts.find(retryItem ?? ''))),
  )
  for (const [index, entry] of sentBack.entries()) {
    const item = items[index]
    if (item?.state === 'done' && item.sessionId !== null) await replaceByRetry(config, queue, entry, item.sessionId)
    else if (item === undefined || item.state === 'cancelled' || item.state === 'needs you')
      queue.end(entry, { outcome: 'needs you', reason: describeLostRetry(item), error: null })
  }
}

// --- internal ---

function buildRetryItem({ id, paths, manifest }: Session, { retries, checkout }: Landing): NewItem {
  const { requiresApproval, allowsJudgedOnly, allowedHosts, models, repository, task } = manifest
  return {
    key: `landing/${id}`,
    repository: repository?.path ?? checkout,
    task: fs.readFileSync(paths.task),
    title: task.title,
    options: [
      ...['--repo', checkout, '--model', models.orchestrator, '--retry', id, '--base-of', id],
      ...allowedHosts.flatMap(host => ['--allow-host', host]),
      ...(requiresApproval ? ['--approve'] : []),
      ...(allowsJudgedOnly ? ['--allow-judged-only'] : []),
    ],
    priority: 'high',
    needs: [],
    notBefore: null,
    after: [],
    source: `landing of ${id}, new attempt ${retries + 1}`,
  }
}

async function replaceByRetry(config: Config, queue: LandingQueue, entry: Landing, id: string): Promise<void> {
  const session = findSession(config.workspace, id)
  const { base, commit } = await requirePass(session, (await readView(session)).status)
  const files = (await listChangedPaths(session.paths, base, commit)).map(({ path }) => path)
  const { landing } = readStatus(findSession(config.workspace, entry.session))
  const retries = entry.retries + 1
  queue.replace({ ...entry, retries }, { session: id, files, size: files.length, into: landing?.branch ?? entry.into })
}

function describeLostRetry(item: Item | undefined): string {
  if (item === undefined) return 'the new attempt is not in the queue any more'
  return `the new attempt ${item.id} ${item.state === 'cancelled' ? 'was taken out' : 'needs you'}: ${item.reason}`
}
