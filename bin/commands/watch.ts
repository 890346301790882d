import { parseArgs } from 'node:util'
import { readConfig } from '../../host/index.ts'
import { chosen } from '../chosen.ts'
import { print, title } from '../terminal.ts'
import type { Command } from './index.ts'
import { watchToEnd } from './wait.ts'

const help = `
usage: dispatch watch [sid]

The story of a session from its beginning, and live from now on: who does what, clause by clause. Ends with the verdict,
and with its exit code. Leaving it (Ctrl-c) changes nothing. Without an id: the newest session.
`

export const command: Command = {
  help,
  async run(words) {
    const { positionals } = parseArgs({ args: words, allowPositionals: true })
    const session = chosen(readConfig(), positionals[0])
    print(title(session.id))
    return watchToEnd(session)
  },
}
