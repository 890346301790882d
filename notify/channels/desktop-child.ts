/** Run by `desktop.ts` as a process of its own: one notice as JSON on stdin, what the notifier said as JSON on stdout. */
import { text } from 'node:stream/consumers'
import { Notification } from '../notification.ts'
import { showDesktopNotification } from './desktop.ts'

process.stdout.write(
  JSON.stringify(await showDesktopNotification(Notification.parse(JSON.parse(await text(process.stdin))))),
)
