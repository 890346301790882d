import path from 'node:path'
import type { Config } from '#host/config'
import { enqueueHomeNotification } from '../home-notification.ts'
import { NotifyOnce } from '../notify-once.ts'
import { listSessionsOf, type PullRequestRecord } from './record.ts'

/** Queue one notification for each pull request that needs a person, once. The deliverer is started by others. */
export function notifyPullRequests(config: Config, records: PullRequestRecord[]): void {
  const waiting = records.filter(({ state }) => state === 'needs you')
  const told = new NotifyOnce(config.home, 'pull-request')
  for (const record of waiting)
    told.tell(getKey(record), record.since, record.reason, (id, at) => write(config, record, { id, at }))
  told.keep(FOLDER, new Set(waiting.map(getKey)))
}

// --- internal ---

const FOLDER = 'pull-request'

function getKey({ host, owner, name, number }: PullRequestRecord): string {
  return `${FOLDER}/${host}/${owner}/${name}/${number}`
}

/** By default it has the name of the repository, and nothing of a reason. */
function write(config: Config, record: PullRequestRecord, { id, at }: { id: string; at: string }): void {
  const { number, checkout, sessions, reason } = record
  const sessionId = sessions.at(-1) ?? ''
  const lines = [
    `Pull request ${number} (${path.basename(checkout)}) does not go on by itself. To let it go on: dispatch pr ${sessionId.slice(-4)} --follow`,
  ]
  enqueueHomeNotification(config, {
    id,
    at,
    sessionId,
    title: 'A pull request needs you',
    lines,
    words: config.NOTICE_DETAIL === 'full' ? { of: listSessionsOf(record), lines: [reason] } : undefined,
    priority: 4,
    tags: ['warning'],
  })
}
