import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
import { formatTitle, print } from '../output/terminal.ts'
import { watchToEnd } from './wait.ts'
export const command = defineCommand({
  about: `
The story of a session from its beginning, and live from now on: who does what, clause by clause. Ends with the verdict,
and with its exit code. Leaving it (Ctrl-c) changes nothing. Without an id: the newest session.
`,
  async run(_, words) {
    const session = pickSession(readConfigOrDefaults(), words[0])
    print(formatTitle(session.id))
    return watchToEnd(session)
  },
})
