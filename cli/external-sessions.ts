import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { listNames, makePrivateFolder, readUntrusted } from '#host/fs'
import { readTruncatedJson } from '#host/json.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { toOneLine } from '#host/text.ts'
import type { JsonEntry } from '#host/user-config'
import { listEnabledChannels, type Notification, type QueuedNotification, writeToOutbox } from '#notify'
/** Where the hook in the user's own settings leaves what sessions that dispatch did not launch say. */
export const getExternalFolder = (home: string) => path.join(home, 'external-events')

/** The entries for the user's `settings.json`. By its command we know our hook again. */
export function buildExternalHooks({ installFolder, home }: Config): JsonEntry[] {
  const command = `sh ${quoteForShell(path.join(installFolder, 'hooks/external'))} ${quoteForShell(getExternalFolder(home))}`
  return ['Stop', 'Notification'].map(event => ({
    path: ['hooks', event],
    value: { hooks: [{ type: 'command', command, timeout: 10 }] },
    marker: command,
  }))
}

/**
 * Lay out a notice of what lies there, each folder and event once, and clear it away. What is older than an hour is
 * nobody's news. A file is gone only when its notice is on disk; one that was laid out twice has the same name. Whoever calls
 * this wakes the deliverer.
 */
export function drainExternalEvents(config: Config): void {
  const folder = getExternalFolder(config.home)
  const enqueuedTexts = new Set<string>()
  for (const name of listNames(folder)) {
    const file = path.join(folder, name)
    const at = getModifiedMs(file)
    const isLate = Date.now() - at > 60 * 60 * 1000
    if (!isLate && name.startsWith('.')) continue // Still being written.
    const body = isLate ? undefined : toExternalEvent(readUntrusted(file, 64 * 1024)?.toString() ?? '')
    if (
      body !== undefined &&
      !enqueuedTexts.has(body.text) &&
      !tryEnqueue(createQueuedNotification(name, at, body), config)
    )
      return
    if (body !== undefined) enqueuedTexts.add(body.text)
    fs.rmSync(file, { force: true, recursive: true })
  }
}

/** Without this folder the hook does nothing. */
export function createExternalFolder(home: string): void {
  makePrivateFolder(getExternalFolder(home))
}

export function removeExternalFolder(home: string): void {
  fs.rmSync(getExternalFolder(home), { recursive: true, force: true })
}

// --- internal ---

/** Folder and event, and nothing of what was said. */
interface ExternalEvent {
  waits: boolean
  text: string
}

const ExternalHookEvent = z.object({
  hook_event_name: z.enum(['Stop', 'Notification']),
  cwd: z.string(),
  notification_type: z.string().optional(),
})

/** Kinds of Notification after which nobody is waited for. */
const idleNotificationTypes = ['auth_success', 'agent_completed']

function toExternalEvent(text: string): ExternalEvent | undefined {
  const said = ExternalHookEvent.safeParse(readTruncatedJson(text)).data
  if (
    !said ||
    (said.hook_event_name === 'Notification' && idleNotificationTypes.includes(said.notification_type ?? ''))
  )
    return undefined
  const waits = said.hook_event_name === 'Notification'
  const folder = toOneLine(path.basename(said.cwd) || '/', 60)
  return { waits, text: `claude in ${folder} ${waits ? 'waits for you' : 'has finished'}` }
}

/** Is it on disk? A disk that takes nothing ends nobody's work: it is said, and tried again at the next look. */
function tryEnqueue(message: QueuedNotification, config: Config): boolean {
  try {
    writeToOutbox(config.home, message, listEnabledChannels(config))
    return true
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    process.stdout.write(`a notice could not be laid out: ${error.message}\n`)
    return false
  }
}

function createQueuedNotification(name: string, at: number, body: ExternalEvent): QueuedNotification {
  const id = createHash('sha256').update(`${name} ${at}`).digest('hex').slice(0, 16)
  const when = new Date(at).toISOString()
  return {
    id: `elsewhere-${id}`,
    sessionId: 'external',
    at: when,
    deliverBy: null,
    notification: createExternalNotification(body),
  }
}

function createExternalNotification({ waits, text }: ExternalEvent): Notification {
  const title = waits ? 'Claude waits for you' : 'Claude has finished'
  return { title, body: text, priority: waits ? 4 : 3, tags: [waits ? 'question' : 'checkered_flag'] }
}

/** In milliseconds; 0, which is long ago, for what is gone. */
function getModifiedMs(file: string): number {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.mtime.getTime() ?? 0
}
