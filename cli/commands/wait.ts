import { defineCommand } from '../command.ts'
import { pickSession, readConfigOrDefaults } from '../input/session.ts'
import { printResult } from '../output/result-view.ts'
import { print } from '../output/terminal.ts'
import { waitForResult } from '../wait-for-result.ts'

export const command = defineCommand({
  about: `
Waits until the session has a verdict, needs you, or has ended. Exit code: 0 PASS, 3 FAIL, 12 INCONCLUSIVE or it needs you
(7 for a lost login), 13 if its record was changed; for a session that never started, the exit code of the failure. Without an id:
the newest session.
`,
  options: {
    json: { type: 'boolean', about: 'print one JSON object instead of text' },
  },
  async run(values, [idOrPart]) {
    const session = pickSession(readConfigOrDefaults(), idOrPart)
    const result = await waitForResult(session)
    if (values.json) print(JSON.stringify(result))
    else printResult(session, result.status)
    return result.exitCode
  },
})
