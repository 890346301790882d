/** Run by `desktop.ts` as a child process: reads a notification as JSON on stdin, prints the result as JSON. */
import { text } from 'node:stream/consumers'
import { Notification } from '../notification.ts'
import { showDesktopNotification } from './desktop.ts'

const notification = Notification.parse(JSON.parse(await text(process.stdin)))
process.stdout.write(JSON.stringify(await showDesktopNotification(notification)))
