/** Run by `prove.ts` as a process of its own: one notice as JSON on stdin, what it proved as JSON on stdout. */
import { text } from 'node:stream/consumers'
import { readEnvironmentConfig } from '#host/config'
import { Notification } from './notification.ts'
import { sendChannelTests } from './test-channel.ts'

const notification = Notification.parse(JSON.parse(await text(process.stdin)))
process.stdout.write(JSON.stringify(await sendChannelTests(notification, readEnvironmentConfig())))
