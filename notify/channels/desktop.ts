import { z } from 'zod'
import { buildProgramCommand } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { toOneLine } from '#host/text.ts'
import type { Notification } from '../notification.ts'
import type { SendResult } from './send-result.ts'

const DesktopResult = z.object({ ok: z.boolean(), reason: z.string(), isPermanent: z.literal(true).optional() })

/** What the notifier of this machine said. */
type DesktopResult = z.infer<typeof DesktopResult>

/**
 * Show a notice on this machine's desktop. Never rejects. The notifier runs in a process of its own (`banner.ts`), because
 * npm `node-notifier` cannot be stopped: after `deadline` milliseconds it is killed with all it has started.
 */
export async function sendToDesktop(notification: Notification, timeoutMs = 10_000): Promise<SendResult> {
  const [node, banner] = buildProgramCommand('notify/channels/desktop-child')
  const ran = await runProgram(node, [banner], { input: JSON.stringify(notification), timeoutMs })
  const late: DesktopResult = { ok: false, reason: `no answer in ${timeoutMs / 1000} s` }
  const { ok, reason, isPermanent }: DesktopResult = ran.timedOut ? late : parseDesktopResult(ran.stdout)
  return { channel: 'desktop', ok, reason, ...(isPermanent ? { isPermanent } : {}) }
}

/** Hand a notice to the notifier of this machine, and hear what it says. */
export async function showDesktopNotification(notification: Notification): Promise<DesktopResult> {
  const { default: notifier } = await import('node-notifier')
  return new Promise(resolve => {
    try {
      notifier.notify(buildNotifierOptions(notification), error => resolve(toDesktopResult(error)))
    } catch (error) {
      resolve(toDesktopResult(error))
    }
  })
}

function parseDesktopResult(text: string): DesktopResult {
  try {
    return DesktopResult.parse(JSON.parse(text))
  } catch {
    return { ok: false, reason: 'the notifier ended without a word' }
  }
}

/** On a Mac the callback comes only when the banner closes, so it closes before our own deadline. */
function buildNotifierOptions({ title, body, click }: Notification) {
  const words = { title: toPlainLine(title), message: toPlainLine(body) }
  if (process.platform !== 'darwin') return { ...words, timeout: 10 }
  return { ...words, timeout: 4, ...(click === undefined ? {} : { open: click }) }
}

/** One printable line that no notifier takes for an option of its own. */
function toPlainLine(text: string): string {
  return toOneLine(text, 300).replace(/^-+/, '')
}

/** The callback's error is an Error when the notifier failed; a bare string is only its stderr after exit 0. */
function toDesktopResult(error: unknown): DesktopResult {
  if (!(error instanceof Error)) return { ok: true, reason: '' }
  if (/not found: notify-send|notify-send must be installed/.test(error.message))
    return { ...missingNotifierResult, ok: false }
  return { ok: false, reason: findLastLine(error.message) }
}

const missingNotifierResult = {
  reason: 'notify-send is not installed (Debian: `apt install libnotify-bin`), or set DESKTOP=off',
  isPermanent: true,
} as const

/** The command line in the message repeats the notice; only the notifier's own last line is worth keeping. */
function findLastLine(message: string): string {
  const lines = message.split('\n').filter(line => line.trim() !== '' && !line.startsWith('Command failed:'))
  return toOneLine(lines.at(-1) ?? 'the notifier failed and said nothing', 200)
}
