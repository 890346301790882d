import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { type Addition, type Config, makePrivate, namesIn, oneLine, readUntrusted, shellWord } from '../host/index.ts'
import type { Notice } from '../notify/index.ts'
import { sendNotice } from '../runner/index.ts'

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

/** Push what lies there, each folder and event once, and clear it away. What is older than an hour is nobody's news. */
export async function drainElsewhere(config: Config): Promise<void> {
  const folder = elsewhereOf(config.home)
  const told = new Set<string>()
  for (const name of namesIn(folder)) {
    const file = path.join(folder, name)
    if (!isLate(file) && name.startsWith('.')) continue // Still being written.
    const body = isLate(file) ? undefined : bodyOf(readUntrusted(file, 64 * 1024)?.toString() ?? '')
    if (body !== undefined && !told.has(body.text)) await sendNotice(noticeOf(body), config)
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
  const said = Said.safeParse(parsed(text)).data
  if (!said || (said.hook_event_name === 'Notification' && idle.includes(said.notification_type ?? '')))
    return undefined
  const waits = said.hook_event_name === 'Notification'
  const folder = oneLine(path.basename(said.cwd) || '/', 60)
  return { waits, text: `claude in ${folder} ${waits ? 'waits for you' : 'has finished'}` }
}

/** The whole as JSON; of what was cut at 64 KiB, the first word of each kind: claude says them before anything long. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const names = Object.keys(Said.shape)
    return Object.fromEntries(names.map(name => [name, new RegExp(`"${name}":\\s*"([^"\\\\]*)"`).exec(text)?.[1]]))
  }
}

function noticeOf({ waits, text }: Body): Notice {
  const title = waits ? 'Claude waits for you' : 'Claude has finished'
  return { title, body: text, priority: waits ? 4 : 3, tags: [waits ? 'question' : 'checkered_flag'] }
}

function isLate(file: string): boolean {
  const { mtimeMs } = fs.lstatSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0 }
  return Date.now() - mtimeMs > 60 * 60 * 1000
}
