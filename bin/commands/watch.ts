import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'
import { lenientConfig } from '../lenient.ts'
import { print, title } from '../terminal.ts'
import { watchToEnd } from './wait.ts'

export const command = defineCommand({
  about: `
The story of a session from its beginning, and live from now on: who does what, clause by clause. Ends with the verdict,
and with its exit code. Leaving it (Ctrl-c) changes nothing. Without an id: the newest session.
`,
  async run(_, words) {
    const session = chosen(lenientConfig(), words[0])
    print(title(session.id))
    return watchToEnd(session)
  },
})
