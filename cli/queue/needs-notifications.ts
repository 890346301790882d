import path from 'node:path'
import type { Config } from '#host/config'
import type { Item, Queue } from '#queue'
import { enqueueHomeNotification } from '../home-notification.ts'
import { NotifyOnce } from '../notify-once.ts'

/** Queue one notification for each item that needs a person, once. The caller starts the deliverer. */
export async function notifyNeeds(config: Config, queue: Queue): Promise<void> {
  const items = await queue.list(['needs you'])
  const told = new NotifyOnce(config.home, 'queue')
  const getKey = ({ id }: Item) => `queue/${id}`
  for (const item of items)
    told.tell(getKey(item), item.since, item.reason, (id, at) => write(config, item, { id, at }))
  told.keep('queue', new Set(items.map(getKey)))
}

// --- internal ---

/** By default it has the name of the repository, and nothing of the task or of a reason. */
function write(config: Config, item: Item, { id, at }: { id: string; at: string }): void {
  const where = item.repository === null ? '' : ` (${path.basename(item.repository)})`
  const lines = [`${item.id}${where} does not go on by itself. Next: dispatch queue show ${item.id}`]
  const of = item.sessionId === null ? [] : [item.sessionId]
  enqueueHomeNotification(config, {
    id,
    at,
    sessionId: item.id,
    title: 'The queue needs you',
    lines,
    words: config.NOTICE_DETAIL === 'full' ? { of, lines: [item.reason] } : undefined,
    priority: 4,
    tags: ['clipboard'],
  })
}
