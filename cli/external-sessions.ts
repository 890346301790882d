import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { listNames, readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { readTruncatedJson } from '#host/json.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { toOneLine } from '#host/text.ts'
import { HOUR_MS } from '#host/time.ts'
import type { JsonEntry } from '#host/user-config'
import { listEnabledChannels, type Notification, type QueuedNotification, writeToOutbox } from '#notify'

/** The folder in which claude sessions that dispatch did not start leave their events. The hook writes only while it exists. */
export const getExternalFolder = (home: string) => path.join(home, 'external-events')

/** The hook entries for the user's `settings.json`. Their command marks them as entries of dispatch. */
export function buildExternalHooks({ cloneFolder, home }: Config): JsonEntry[] {
  const hook = path.join(cloneFolder, 'hooks/external')
  const command = `sh ${quoteForShell(hook)} ${quoteForShell(getExternalFolder(home))}`
  return ['Stop', 'Notification'].map(event => ({
    path: ['hooks', event],
    value: { hooks: [{ type: 'command', command, timeout: 10 }] },
    marker: command,
  }))
}

/**
 * Queue one notification for each folder and event, and remove the event files. Events older than an hour are dropped. A
 * file is removed only when its notification is on disk; a repeated one has the same id. The caller starts the deliverer.
 */
export function enqueueExternalEvents(config: Config): void {
  const folder = getExternalFolder(config.home)
  const queuedTexts = new Set<string>()
  for (const name of listNames(folder)) {
    const file = path.join(folder, name)
    const modifiedMs = fs.lstatSync(file, { throwIfNoEntry: false })?.mtime.getTime() ?? 0 // A file that is gone is old.
    const isOld = Date.now() - modifiedMs > MAX_EVENT_AGE_MS
    if (!isOld && name.startsWith('.')) continue // Still being written.
    const notification = isOld ? undefined : parseEvent(readUntrusted(file, MAX_EVENT_BYTES)?.toString() ?? '')
    if (notification && !queuedTexts.has(notification.body)) {
      const id = `external-${sha256(`${name} ${modifiedMs}`).slice(0, 16)}`
      const at = new Date(modifiedMs).toISOString()
      if (!tryEnqueue({ id, sessionId: 'external', at, deliverBy: null, notification }, config)) return
      queuedTexts.add(notification.body)
    }
    fs.rmSync(file, { force: true, recursive: true })
  }
}

// --- internal ---

const MAX_EVENT_AGE_MS = HOUR_MS
const MAX_EVENT_BYTES = 64 * 1024

const HookEvent = z.object({
  hook_event_name: z.enum(['Stop', 'Notification']),
  cwd: z.string(),
  notification_type: z.string().optional(),
})

/** Types of the event Notification that do not wait for a person. */
const idleNotificationTypes = ['auth_success', 'agent_completed']

/** The folder's name and what happened; nothing of the conversation. */
function parseEvent(text: string): Notification | undefined {
  const event = HookEvent.safeParse(readTruncatedJson(text)).data
  if (!event) return undefined
  const isWaiting = event.hook_event_name === 'Notification'
  if (isWaiting && idleNotificationTypes.includes(event.notification_type ?? '')) return undefined
  const folder = toOneLine(path.basename(event.cwd) || '/', 60)
  return isWaiting
    ? { title: 'Claude waits for you', body: `claude in ${folder} waits for you`, priority: 4, tags: ['question'] }
    : { title: 'Claude has finished', body: `claude in ${folder} has finished`, priority: 3, tags: ['checkered_flag'] }
}

/** Is the notification on disk? When the disk takes nothing, that is printed and the next check tries again. */
function tryEnqueue(notification: QueuedNotification, config: Config): boolean {
  try {
    writeToOutbox(config.home, notification, listEnabledChannels(config))
    return true
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    process.stdout.write(`a notification could not be queued: ${error.message}\n`)
    return false
  }
}
