import path from 'node:path'
import type { Config } from '#host/config'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { formatNames, toOneLine } from '#host/text.ts'
import { ToldOnce } from '#intake'
import type { Landing, LandingQueue } from '#landing'
import { listEnabledChannels, writeToOutbox } from '#notify'
import { findStaleSiblings } from './overlaps.ts'

/** Queue one notification for each entry that has landed without a person at a shell, or needs one. The caller starts the deliverer. */
export async function notifyEnded(config: Config, queue: LandingQueue): Promise<void> {
  const ended = queue.list().filter(({ outcome }) => outcome === 'landed' || outcome === 'needs you')
  const told = new ToldOnce(config.home, 'landing')
  const getKey = ({ session }: Landing) => `${path.basename(queue.folder)}/${session}`
  for (const entry of ended) {
    if (entry.outcome === 'landed' && entry.attendedBy !== null) continue
    if (told.wasTold(getKey(entry), entry.since, entry.reason)) continue
    const siblings = entry.outcome === 'landed' ? await findStaleSiblings(config, entry.session).catch(() => []) : []
    told.tell(getKey(entry), entry.since, entry.reason, (id, at) => write(config, entry, { id, at, siblings }))
  }
  told.keep(path.basename(queue.folder), new Set(ended.map(getKey)))
}

// --- internal ---

const MAX_LINE_CHARS = 300

/** By default it has the name of the repository, and nothing of the task or of a reason. */
function write(
  config: Config,
  { session, checkout, outcome, reason }: Landing,
  { id, at, siblings }: { id: string; at: string; siblings: string[] },
): void {
  const short = session.slice(-4)
  const where = path.basename(checkout)
  const isLanded = outcome === 'landed'
  const lines = isLanded
    ? [
        `${short} has landed (${where}).`,
        ...(siblings.length > 0
          ? [`${formatNames(siblings.map(each => each.slice(-4)))} changed the same files, and will be proved again.`]
          : []),
      ]
    : [
        `${short} does not land by itself (${where}). Next: dispatch land ls`,
        ...(config.NOTICE_DETAIL === 'full' ? [reason] : []),
      ]
  const secrets = listKnownSecrets(config)
  const notification = {
    title: isLanded ? 'Work has landed' : 'A landing needs you',
    body: lines.map(line => toOneLine(redactSecrets(line, secrets).text, MAX_LINE_CHARS)).join('\n'),
    priority: isLanded ? (3 as const) : (4 as const),
    tags: [isLanded ? 'airplane_arriving' : 'warning'],
  }
  writeToOutbox(config.home, { id, sessionId: session, at, deliverBy: null, notification }, listEnabledChannels(config))
}
