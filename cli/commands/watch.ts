import { defineCommand } from '../command.ts'
import { setExitCodeWithoutReader } from '../end-signal.ts'
import { pickSession, readConfigOrDefaults } from '../input/session.ts'
import { formatTitle, print } from '../output/terminal.ts'
import { watchToEnd } from '../wait-for-result.ts'

export const command = defineCommand({
  about: `
Shows a session's events from the beginning, then live: who does what, clause by clause. Ends at the verdict, with the
verdict's exit code. Ctrl-c only ends the watching. Without an id: the newest session.
`,
  async run(_, [idOrPart]) {
    const session = pickSession(readConfigOrDefaults(), idOrPart)
    setExitCodeWithoutReader()
    print(formatTitle(session.id))
    return watchToEnd(session)
  },
})
