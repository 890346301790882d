import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { namesIn, readUntrusted } from '../host/index.ts'

/** What a hook told us, as far as we use it. */
const Told = z.looseObject({
  hook_event_name: z.string(),
  session_id: z.string().optional(),
  transcript_path: z.string().optional(),
  prompt: z.string().optional(),
  error: z.string().optional(),
  error_details: z.string().optional(),
  reason: z.string().optional(),
  notification_type: z.string().optional(),
  message: z.string().optional(),
})

export type Told = z.infer<typeof Told>

/**
 * Hand over what the hooks left, oldest first; each file is removed only after `take` has dealt with it. The spool is in
 * the agents' reach: only names that a hook gives are looked at, and nothing is ever removed through a link.
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
    const told = Told.safeParse(parseJson(readUntrusted(file, 1024 * 1024)?.toString('utf8')))
    if (told.success) take(told.data)
    if (fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === false) fs.unlinkSync(file)
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
}
