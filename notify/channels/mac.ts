import { findProgram, runProgram } from '#host/exec.ts'
import { toOneLine } from '#host/text.ts'
import type { SendResult } from './send-result.ts'

/** The program that shows notifications on a Mac: terminal-notifier of the user, which opens links, or the one of the system. */
export function findMacNotifier(searchPath?: string): string {
  return findProgram('terminal-notifier', searchPath) || SYSTEM_NOTIFIER
}

/**
 * Show a notification on a Mac. The terminal-notifier that comes with node-notifier is for Intel only, and does not start on Apple's
 * processors without Rosetta.
 */
export async function showOnMac(
  { title, message, open }: { title: string; message: string; open?: string | undefined },
  notifier = findMacNotifier(),
  systemNotifier = SYSTEM_NOTIFIER,
): Promise<SendResult> {
  // The text is an argument and no part of the script.
  const script = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run']
  const systemArgs = [...script.flatMap(line => ['-e', line]), title, message]
  const ownArgs = ['-title', title, '-message', message, ...(open === undefined ? [] : ['-open', open])]
  const isOwn = notifier !== systemNotifier
  const run = await runProgram(notifier, isOwn ? ownArgs : systemArgs)
  if (run.exitCode === 0) return { ok: true, reason: '' }
  if (isOwn && run.startError !== undefined) return showOnMac({ title, message }, systemNotifier, systemNotifier)
  return { ok: false, reason: describeFailure(run.startError ?? run.stderr) }
}

// --- internal ---

const SYSTEM_NOTIFIER = '/usr/bin/osascript'

function describeFailure(words: string): string {
  const last = words.trim().split('\n').at(-1) ?? ''
  return toOneLine(last || 'the notifier failed without a message', 200)
}
