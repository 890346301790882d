/** Run by `test-channel.ts` as a child process: reads a notification as JSON on stdin, prints the results as JSON. */
import { text } from 'node:stream/consumers'
import { readEnvironmentConfig } from '#host/config'
import { Notification } from './notification.ts'
import { sendChannelTests } from './test-channel.ts'

const notification = Notification.parse(JSON.parse(await text(process.stdin)))
process.stdout.write(JSON.stringify(await sendChannelTests(notification, readEnvironmentConfig())))
