import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { readUntrusted } from '#host/fs'
import { readTruncatedJson } from '#host/json.ts'
import { listOldestFirst } from '../requests.ts'

const optionalText = z.string().optional().catch(undefined)

/** An event from a Claude Code hook. A field that does not have the expected type counts as missing. */
const HookEvent = z.looseObject({
  hook_event_name: z.string(),
  session_id: optionalText,
  transcript_path: optionalText,
  prompt: optionalText,
  error: optionalText,
  error_details: optionalText,
  last_assistant_message: optionalText,
  reason: optionalText,
  notification_type: optionalText,
  message: optionalText,
  tool_name: optionalText,
  agent_type: optionalText,
})

/** `origin.worker` is the worker whose hook left the event; empty for the orchestrator. */
export type HookEvent = z.infer<typeof HookEvent> & { origin: { worker: string } }

/** Hooks leave at most 64 KiB. Of a larger file, which only an agent can have written, this much is read. */
const MAX_HOOK_EVENT_BYTES = 1024 * 1024

/**
 * Pass on the events that hooks left, oldest first, and remove each file after `onEvent` has returned. Agents can write in the
 * inbox, so only names that a hook gives are read, nothing is removed through a link, and what is not an event is removed silently.
 */
export function drainHookInbox(inbox: string, onEvent: (hookEvent: HookEvent) => void): void {
  if (!fs.lstatSync(inbox, { throwIfNoEntry: false })?.isDirectory()) return
  for (const file of listOldestFirst(inbox, /^\d+-\d+-[a-z0-9-]*$/)) {
    const text = readUntrusted(file, MAX_HOOK_EVENT_BYTES)?.toString('utf8') ?? ''
    const worker = path.basename(file).replace(/^\d+-\d+-/, '')
    const hookEvent = parseHookEvent(text, worker)
    if (hookEvent) onEvent(hookEvent)
    if (fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === false) fs.unlinkSync(file)
  }
}

/** The event in a file of the inbox; undefined for any other text. A file cut at 64 KiB still has one: claude writes its name first. Pure. */
export function parseHookEvent(text: string, worker: string): HookEvent | undefined {
  const parsed = HookEvent.safeParse(readTruncatedJson(text))
  return parsed.success ? { ...parsed.data, origin: { worker } } : undefined
}
