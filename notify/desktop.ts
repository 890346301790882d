import { oneLine } from '../host/index.ts'
import { type Delivery, within } from './delivery.ts'
import type { Notice } from './notice.ts'

/** Show a notice on this machine's desktop. Never rejects; gives up after `deadline` milliseconds. */
export function showOnDesktop(notice: Notice, deadline = 5000): Promise<Delivery> {
  const late: Delivery = { channel: 'desktop', ok: false, why: `no answer in ${deadline / 1000} s` }
  return within(deadline, show(notice), late)
}

/** The package is loaded only when there is something to show: the runner imports this room too, and stays small. */
async function show(notice: Notice): Promise<Delivery> {
  const { default: notifier } = await import('node-notifier')
  return new Promise(resolve => {
    try {
      notifier.notify(appearance(notice), error => resolve(deliveryOf(error)))
    } catch (error) {
      resolve(deliveryOf(error))
    }
  })
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
function deliveryOf(error: unknown): Delivery {
  if (!(error instanceof Error)) return { channel: 'desktop', ok: true, why: '' }
  return { channel: 'desktop', ok: false, why: inWords(error.message) }
}

/** The command line in the message repeats the notice; only the notifier's own last line is worth keeping. */
function inWords(message: string): string {
  if (/not found: notify-send|notify-send must be installed/.test(message)) {
    return 'notify-send is not installed (Debian: `apt install libnotify-bin`), or set DESKTOP=off'
  }
  const lines = message.split('\n').filter(line => line.trim() !== '' && !line.startsWith('Command failed:'))
  return oneLine(lines.at(-1) ?? 'the notifier failed and said nothing', 200)
}
