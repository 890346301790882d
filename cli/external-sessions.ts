import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { listNames, makePrivateFolder, readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { readTruncatedJson } from '#host/json.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { toOneLine } from '#host/text.ts'
import { HOUR_MS } from '#host/time.ts'
import type { JsonEntry } from '#host/user-config'
import { listEnabledChannels, type Notification, type QueuedNotification, writeToOutbox } from '#notify'

/** The folder in which claude sessions that dispatch did not start leave their events, by a hook in the user's settings. */
export const getExternalFolder = (home: string) => path.join(home, 'external-events')

/** The hook entries for the user's `settings.json`. Their command marks them as entries of dispatch. */
export function buildExternalHooks({ installFolder, home }: Config): JsonEntry[] {
  const hook = path.join(installFolder, 'hooks/external')
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
    const modifiedMs = readModifiedMs(file)
    const isOld = Date.now() - modifiedMs > MAX_EVENT_AGE_MS
    if (!isOld && name.startsWith('.')) continue // Still being written.
    const event = isOld ? undefined : parseEvent(readUntrusted(file, MAX_EVENT_BYTES)?.toString() ?? '')
    if (event && !queuedTexts.has(event.text)) {
      if (!tryEnqueue(createQueuedNotification(name, modifiedMs, event), config)) return
      queuedTexts.add(event.text)
    }
    fs.rmSync(file, { force: true, recursive: true })
  }
}

/** The hook writes only while this folder exists. */
export function createExternalFolder(home: string): void {
  makePrivateFolder(getExternalFolder(home))
}

export function removeExternalFolder(home: string): void {
  fs.rmSync(getExternalFolder(home), { recursive: true, force: true })
}

// --- internal ---

const MAX_EVENT_AGE_MS = HOUR_MS
const MAX_EVENT_BYTES = 64 * 1024

/** The folder's name and what happened; nothing of the conversation. */
interface ExternalEvent {
  isWaiting: boolean
  text: string
}

const HookEvent = z.object({
  hook_event_name: z.enum(['Stop', 'Notification']),
  cwd: z.string(),
  notification_type: z.string().optional(),
})

/** Types of the event Notification that do not wait for a person. */
const idleNotificationTypes = ['auth_success', 'agent_completed']

function parseEvent(text: string): ExternalEvent | undefined {
  const event = HookEvent.safeParse(readTruncatedJson(text)).data
  if (!event) return undefined
  const isWaiting = event.hook_event_name === 'Notification'
  if (isWaiting && idleNotificationTypes.includes(event.notification_type ?? '')) return undefined
  const folder = toOneLine(path.basename(event.cwd) || '/', 60)
  return { isWaiting, text: `claude in ${folder} ${isWaiting ? 'waits for you' : 'has finished'}` }
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

function createQueuedNotification(name: string, modifiedMs: number, event: ExternalEvent): QueuedNotification {
  return {
    id: `external-${sha256(`${name} ${modifiedMs}`).slice(0, 16)}`,
    sessionId: 'external',
    at: new Date(modifiedMs).toISOString(),
    deliverBy: null,
    notification: createNotification(event),
  }
}

function createNotification({ isWaiting, text }: ExternalEvent): Notification {
  const title = isWaiting ? 'Claude waits for you' : 'Claude has finished'
  return { title, body: text, priority: isWaiting ? 4 : 3, tags: [isWaiting ? 'question' : 'checkered_flag'] }
}

/** In milliseconds; 0, which is long ago, for a file that is gone. */
function readModifiedMs(file: string): number {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.mtime.getTime() ?? 0
}
