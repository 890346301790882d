import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { type ClaimedFile, getInbox, parseTaskFile, readTaskFile } from '#intake'
import { type NewItem, priorities } from '#queue'
import { findSession } from '#session'
import { buildItem } from '../input/queue-options.ts'
import { parseFutureTime } from '../input/task-input.ts'
import { requireItems } from './enqueue.ts'
import { withQueue } from './open.ts'

/**
 * The item for a claimed file: `item`; or what is wrong with the file (`fault`), which its author must correct; or why nothing can
 * start in this repository now (`obstacle`), such as a `.dispatch.json` that was not confirmed.
 */
export type InboxItem = { item: NewItem } | { fault: string } | { obstacle: string }

/** Read a claimed file as an item of the queue. What a start would refuse is refused here. It asks no question. */
export async function buildInboxItem(config: Config, claim: ClaimedFile): Promise<InboxItem> {
  const bytes = readTaskFile(claim.file, claim.closedBits)
  if (!Buffer.isBuffer(bytes)) return { fault: bytes.reason }
  const parsed = parseTaskFile(bytes, priorities)
  if ('problem' in parsed) return { fault: parsed.problem }
  const { task, title, tags, after, priority, model, deadline } = parsed
  try {
    if (deadline !== undefined) parseFutureTime(deadline, '--deadline', new Date())
    for (const id of after) if (!/^q-\d+$/.test(id)) findSession(config.workspace, id)
    if (after.length > 0) await withQueue(config, queue => requireItems(queue, after))
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return { fault: error.message.replace(/^--/, '') }
  }
  const values = {
    repo: claim.repository,
    ...{ after, tag: tags },
    ...(priority !== undefined && { priority }),
    ...(model !== undefined && { model }),
    ...(deadline !== undefined && { deadline }),
  }
  try {
    const item = await buildItem(config, values, task, { say: () => undefined, mayAsk: false })
    const source = path.join(getInbox(claim.repository), claim.name)
    return { item: { ...item, key: claim.key, source, ...(title !== undefined && { title }) } }
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return { obstacle: `${error.message}${error.remedy === '' ? '' : `. ${error.remedy}`}` }
  }
}
