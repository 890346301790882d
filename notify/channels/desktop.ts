import { z } from 'zod'
import { buildProgramCommand } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { parseJson } from '#host/json.ts'
import { toOneLine } from '#host/text.ts'
import type { Notification } from '../notification.ts'
import { showOnMac } from './mac.ts'
import type { SendResult } from './send-result.ts'

/** What the child process prints. */
const DesktopResult = z.object({ ok: z.boolean(), reason: z.string(), isPermanent: z.literal(true).optional() })

/**
 * Show a notification on this machine's desktop. Never rejects. npm `node-notifier`, which shows it on Linux and in WSL, cannot be
 * stopped, so it runs in a child
 * process (`desktop-child.ts`), which is killed after `timeoutMs` with everything that it started.
 */
export async function sendToDesktop(notification: Notification, timeoutMs = 10_000): Promise<SendResult> {
  const [node, program] = buildProgramCommand('notify/channels/desktop-child')
  const { stdout, timedOut } = await runProgram(node, [program], { input: JSON.stringify(notification), timeoutMs })
  if (timedOut) return { ok: false, reason: `no answer in ${timeoutMs / 1000} s` }
  const result = DesktopResult.safeParse(parseJson(stdout)).data
  return result ?? { ok: false, reason: 'the notifier returned no result' }
}

/** The part of `sendToDesktop` that runs in the child process. */
export async function showDesktopNotification({ title, body, click }: Notification): Promise<SendResult> {
  const text = { title: toPlainLine(title), message: toPlainLine(body) }
  if (process.platform === 'darwin') return showOnMac({ ...text, open: click })
  const { default: notifier } = await import('node-notifier')
  return new Promise(resolve => {
    try {
      notifier.notify({ ...text, timeout: 10 }, error => resolve(toSendResult(error)))
    } catch (error) {
      resolve(toSendResult(error))
    }
  })
}

// --- internal ---

/** One printable line that does not begin with a dash, so that no notifier reads it as an option. */
function toPlainLine(text: string): string {
  return toOneLine(text, 300).replace(/^-+/, '')
}

/** The callback gets an Error if the notifier failed. A bare string is only its stderr after exit 0. */
function toSendResult(error: unknown): SendResult {
  if (!(error instanceof Error)) return { ok: true, reason: '' }
  if (/not found: notify-send|notify-send must be installed/.test(error.message))
    return { ok: false, reason: 'notify-send is not installed', isPermanent: true }
  // The command line in the message repeats the notification. Only the last line is the notifier's own.
  const lines = error.message.split('\n').filter(line => line.trim() !== '' && !line.startsWith('Command failed:'))
  return { ok: false, reason: toOneLine(lines.at(-1) ?? 'the notifier failed without a message', 200) }
}
