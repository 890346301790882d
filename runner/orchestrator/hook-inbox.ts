import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { listNames, readUntrusted } from '#host/fs'
import { readTruncatedJson } from '#host/json.ts'

/** What a hook told us, as far as we use it. A field that is not what we think it is, is as good as not there. */
const HookEvent = z.looseObject({
  hook_event_name: z.string(),
  session_id: optionalText(),
  transcript_path: optionalText(),
  prompt: optionalText(),
  error: optionalText(),
  error_details: optionalText(),
  last_assistant_message: optionalText(),
  reason: optionalText(),
  notification_type: optionalText(),
  message: optionalText(),
  tool_name: optionalText(),
  agent_type: optionalText(),
})

/** With the worker whose hook left it; the orchestrator's is empty. */
export type HookEvent = z.infer<typeof HookEvent> & { origin: { worker: string } }

/**
 * Hand over what the hooks left, oldest first; each file is removed only after `take` has dealt with it. The spool is in
 * the agents' reach: only names that a hook gives are looked at, nothing is ever removed through a link, and what says
 * nothing is removed without a word.
 */
export function drainHookInbox(spool: string, onEvent: (hookEvent: HookEvent) => void): void {
  if (!fs.lstatSync(spool, { throwIfNoEntry: false })?.isDirectory()) return
  const files = listNames(spool)
    .filter(name => /^\d+-\d+-[a-z0-9-]*$/.test(name))
    .map(name => path.join(spool, name))
  const aged = files
    .map(file => ({ file, left: fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => a.left - b.left)
  for (const { file } of aged) {
    const hookEvent = parseHookEvent(
      readUntrusted(file, MAX_HOOK_EVENT_BYTES)?.toString('utf8') ?? '',
      path.basename(file).replace(/^\d+-\d+-/, ''),
    )
    if (hookEvent) onEvent(hookEvent)
    if (fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === false) fs.unlinkSync(file)
  }
}

/** Recorders leave 64 KiB at most; who else leaves something here is read so far. */
const MAX_HOOK_EVENT_BYTES = 1024 * 1024

/** What a file of the spool says; undefined when it says nothing. Of a cut file the start does: claude names the event first. Pure. */
export function parseHookEvent(text: string, worker: string): HookEvent | undefined {
  const parsed = HookEvent.safeParse(readTruncatedJson(text))
  return parsed.success ? { ...parsed.data, origin: { worker } } : undefined
}

function optionalText() {
  return z.string().optional().catch(undefined)
}
