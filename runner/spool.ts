import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { namesIn, readTruncatedJson, readUntrusted } from '../host/index.ts'

/** What a hook told us, as far as we use it. A field that is not what we think it is, is as good as not there. */
const Told = z.looseObject({
  hook_event_name: z.string(),
  session_id: word(),
  transcript_path: word(),
  prompt: word(),
  error: word(),
  error_details: word(),
  last_assistant_message: word(),
  reason: word(),
  notification_type: word(),
  message: word(),
  tool_name: word(),
  agent_type: word(),
})

/** With the worker whose hook left it; the orchestrator's is empty. */
export type Told = z.infer<typeof Told> & { left: { by: string } }

/**
 * Hand over what the hooks left, oldest first; each file is removed only after `take` has dealt with it. The spool is in
 * the agents' reach: only names that a hook gives are looked at, nothing is ever removed through a link, and what says
 * nothing is removed without a word.
 */
export function drainSpool(spool: string, take: (told: Told) => void): void {
  if (!fs.lstatSync(spool, { throwIfNoEntry: false })?.isDirectory()) return
  const files = namesIn(spool)
    .filter(name => /^\d+-\d+-[a-z0-9-]*$/.test(name))
    .map(name => path.join(spool, name))
  const aged = files
    .map(file => ({ file, left: fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => a.left - b.left)
  for (const { file } of aged) {
    const told = read(readUntrusted(file, most)?.toString('utf8') ?? '', path.basename(file).replace(/^\d+-\d+-/, ''))
    if (told) take(told)
    if (fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === false) fs.unlinkSync(file)
  }
}

/** Recorders leave 64 KiB at most; who else leaves something here is read so far. */
const most = 1024 * 1024

/** What a file of the spool says; undefined when it says nothing. Of a cut file the start does: claude names the event first. Pure. */
export function read(text: string, by: string): Told | undefined {
  const told = Told.safeParse(readTruncatedJson(text))
  return told.success ? { ...told.data, left: { by } } : undefined
}

function word() {
  return z.string().optional().catch(undefined)
}
