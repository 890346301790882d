import { readConfig } from '#host/config'
import { findSession } from '#session'
import { defineCommand } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { readStatus } from '../input/session.ts'
import { askJudge } from '../judge-again.ts'
import { printResult } from '../output/result-view.ts'
import { print } from '../output/terminal.ts'
import { summarizeResult } from '../wait-for-result.ts'

export const command = defineCommand({
  about: `
Asks the judge again about exactly the work that it gave no answer to: no check runs again. The session may wait for the judge,
have the verdict INCONCLUSIVE for want of an answer, or be closed. A judge that has answered is never asked again (exit 5). Exit
code: 0 PASS, 3 FAIL, 12 when there is still no answer.
`,
  options: { json: { type: 'boolean', about: 'print one JSON object instead of text' } },
  async run(values, [idOrPart = '']) {
    const config = readConfig()
    const session = findSession(config.workspace, idOrPart)
    await refuseAgent('judge')
    await askJudge(session, config)
    const result = await summarizeResult(session, readStatus(session))
    if (values.json) print(JSON.stringify(result))
    else printResult(session, result.status)
    return result.exitCode
  },
})
