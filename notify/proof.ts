/** Run by `prove.ts` as a process of its own: one notice as JSON on stdin, what it proved as JSON on stdout. */
import { text } from 'node:stream/consumers'
import { readEnvironment } from '../host/index.ts'
import { Notice } from './notice.ts'
import { proveHere } from './prove.ts'

const notice = Notice.parse(JSON.parse(await text(process.stdin)))
process.stdout.write(JSON.stringify(await proveHere(notice, readEnvironment())))
