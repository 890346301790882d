/** Run by `desktop.ts` as a process of its own: one notice as JSON on stdin, what the notifier said as JSON on stdout. */
import { text } from 'node:stream/consumers'
import { show } from './desktop.ts'
import { Notice } from './notice.ts'

process.stdout.write(JSON.stringify(await show(Notice.parse(JSON.parse(await text(process.stdin))))))
