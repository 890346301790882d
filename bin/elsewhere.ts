import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import {
  type Addition,
  type Config,
  DispatchError,
  makePrivate,
  namesIn,
  oneLine,
  readTruncatedJson,
  readUntrusted,
  shellWord,
} from '../host/index.ts'
import { channelsOf, type Message, type Notice, post } from '../notify/index.ts'

/** Where the hook in the user's own settings leaves what sessions that dispatch did not launch say. */
export const elsewhereOf = (home: string) => path.join(home, 'elsewhere')

/** The entries for the user's `settings.json`. By its command we know our hook again. */
export function elsewhereHooks({ install, home }: Config): Addition[] {
  const command = `sh ${shellWord(path.join(install, 'hooks/elsewhere'))} ${shellWord(elsewhereOf(home))}`
  return ['Stop', 'Notification'].map(event => ({
    path: ['hooks', event],
    value: { hooks: [{ type: 'command', command, timeout: 10 }] },
    mark: command,
  }))
}

/**
 * Lay out a notice of what lies there, each folder and event once, and clear it away. What is older than an hour is
 * nobody's news. A file is gone only when its notice is on disk; one that was laid out twice has the same name. Whoever calls
 * this wakes the deliverer.
 */
export function drainElsewhere(config: Config): void {
  const folder = elsewhereOf(config.home)
  const told = new Set<string>()
  for (const name of namesIn(folder)) {
    const file = path.join(folder, name)
    const at = writtenAt(file)
    const isLate = Date.now() - at > 60 * 60 * 1000
    if (!isLate && name.startsWith('.')) continue // Still being written.
    const body = isLate ? undefined : bodyOf(readUntrusted(file, 64 * 1024)?.toString() ?? '')
    if (body !== undefined && !told.has(body.text) && !laidOut(messageOf(name, at, body), config)) return
    if (body !== undefined) told.add(body.text)
    fs.rmSync(file, { force: true, recursive: true })
  }
}

/** Without this folder the hook does nothing. */
export function openElsewhere(home: string): void {
  makePrivate(elsewhereOf(home))
}

export function closeElsewhere(home: string): void {
  fs.rmSync(elsewhereOf(home), { recursive: true, force: true })
}

// --- internal ---

/** Folder and event, and nothing of what was said. */
interface Body {
  waits: boolean
  text: string
}

const Said = z.object({
  hook_event_name: z.enum(['Stop', 'Notification']),
  cwd: z.string(),
  notification_type: z.string().optional(),
})

/** Kinds of Notification after which nobody is waited for. */
const idle = ['auth_success', 'agent_completed']

function bodyOf(text: string): Body | undefined {
  const said = Said.safeParse(readTruncatedJson(text)).data
  if (!said || (said.hook_event_name === 'Notification' && idle.includes(said.notification_type ?? '')))
    return undefined
  const waits = said.hook_event_name === 'Notification'
  const folder = oneLine(path.basename(said.cwd) || '/', 60)
  return { waits, text: `claude in ${folder} ${waits ? 'waits for you' : 'has finished'}` }
}

/** Is it on disk? A disk that takes nothing ends nobody's work: it is said, and tried again at the next look. */
function laidOut(message: Message, config: Config): boolean {
  try {
    post(config.home, message, channelsOf(config))
    return true
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    process.stdout.write(`a notice could not be laid out: ${error.message}\n`)
    return false
  }
}

function messageOf(name: string, at: number, body: Body): Message {
  const id = createHash('sha256').update(`${name} ${at}`).digest('hex').slice(0, 16)
  const when = new Date(at).toISOString()
  return { id: `elsewhere-${id}`, of: 'elsewhere', at: when, latest: null, notice: noticeOf(body) }
}

function noticeOf({ waits, text }: Body): Notice {
  const title = waits ? 'Claude waits for you' : 'Claude has finished'
  return { title, body: text, priority: waits ? 4 : 3, tags: [waits ? 'question' : 'checkered_flag'] }
}

/** In milliseconds; 0, which is long ago, for what is gone. */
function writtenAt(file: string): number {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.mtime.getTime() ?? 0
}
