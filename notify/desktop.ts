import { z } from 'zod'
import { oneLine, ownProgram, run } from '../host/index.ts'
import type { Delivery } from './delivery.ts'
import type { Notice } from './notice.ts'

const Shown = z.object({ ok: z.boolean(), why: z.string(), hopeless: z.literal(true).optional() })

/** What the notifier of this machine said. */
type Shown = z.infer<typeof Shown>

/**
 * Show a notice on this machine's desktop. Never rejects. The notifier runs in a process of its own (`banner.ts`), because
 * npm `node-notifier` cannot be stopped: after `deadline` milliseconds it is killed with all it has started.
 */
export async function showOnDesktop(notice: Notice, deadline = 10_000): Promise<Delivery> {
  const [node, banner] = ownProgram('notify/banner')
  const ran = await run(node, [banner], { input: JSON.stringify(notice), deadline })
  const late: Shown = { ok: false, why: `no answer in ${deadline / 1000} s` }
  const { ok, why, hopeless }: Shown = ran.timedOut ? late : shownIn(ran.stdout)
  return { channel: 'desktop', ok, why, ...(hopeless ? { hopeless } : {}) }
}

/** Hand a notice to the notifier of this machine, and hear what it says. */
export async function show(notice: Notice): Promise<Shown> {
  const { default: notifier } = await import('node-notifier')
  return new Promise(resolve => {
    try {
      notifier.notify(appearance(notice), error => resolve(shown(error)))
    } catch (error) {
      resolve(shown(error))
    }
  })
}

function shownIn(text: string): Shown {
  try {
    return Shown.parse(JSON.parse(text))
  } catch {
    return { ok: false, why: 'the notifier ended without a word' }
  }
}

/** On a Mac the callback comes only when the banner closes, so it closes before our own deadline. */
function appearance({ title, body, click }: Notice) {
  const words = { title: plain(title), message: plain(body) }
  if (process.platform !== 'darwin') return { ...words, timeout: 10 }
  return { ...words, timeout: 4, ...(click === undefined ? {} : { open: click }) }
}

/** One printable line that no notifier takes for an option of its own. */
function plain(text: string): string {
  return oneLine(text, 300).replace(/^-+/, '')
}

/** The callback's error is an Error when the notifier failed; a bare string is only its stderr after exit 0. */
function shown(error: unknown): Shown {
  if (!(error instanceof Error)) return { ok: true, why: '' }
  if (/not found: notify-send|notify-send must be installed/.test(error.message)) return { ...missing, ok: false }
  return { ok: false, why: lastWords(error.message) }
}

const missing = {
  why: 'notify-send is not installed (Debian: `apt install libnotify-bin`), or set DESKTOP=off',
  hopeless: true,
} as const

/** The command line in the message repeats the notice; only the notifier's own last line is worth keeping. */
function lastWords(message: string): string {
  const lines = message.split('\n').filter(line => line.trim() !== '' && !line.startsWith('Command failed:'))
  return oneLine(lines.at(-1) ?? 'the notifier failed and said nothing', 200)
}
