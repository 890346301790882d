import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { defineCommand, UsageError } from '../command.ts'
import { setExitCodeWithoutReader } from '../end-signal.ts'
import { confirmAction } from '../input/confirm.ts'
import { paint, print } from '../output/terminal.ts'
import { refusePause } from '../queue/pause.ts'
import { checkRequirements, chooseTask, collectResult, startSession } from '../smoke-test/run.ts'
import { printAnnouncement, printSmokeResult } from '../smoke-test/view.ts'
import { waitForResult, watchToEnd } from '../wait-for-result.ts'

export const command = defineCommand({
  about: `
Runs one real session with real models, from the task to the verdict: a small module with tests. It costs money or counts
against your limits, so it shows how much and asks first. Then it sends one notification and shows the cost. Exit 0 for
PASS, 5 for a no, otherwise the exit code of the verdict.
`,
  options: {
    yes: { type: 'boolean', about: 'do not ask' },
    json: { type: 'boolean', about: 'print JSON instead of text (needs --yes)' },
  },
  async run(values) {
    setExitCodeWithoutReader()
    const config = readConfig()
    refusePause(config, false, 'End the pause: dispatch unpause')
    const requirements = await checkRequirements(config)
    const task = await chooseTask()
    if (!values.json) printAnnouncement(task, requirements, config)
    if (values.json && !values.yes)
      throw new UsageError(
        'smoke-test asks before it spends money, and cannot ask with --json',
        'To confirm in advance: dispatch smoke-test --json --yes',
      )
    if (!values.yes && !(await confirmAction('Start?', 'smoke-test'))) {
      print('Nothing was started.')
      return exitCodes.conflict
    }
    const session = await startSession(task, config)
    if (typeof session === 'number') return session
    if (!values.json) print(paint('dim', `${session.id}: Ctrl-c stops watching; \`dispatch stop\` ends the session`))
    const exitCode = values.json ? (await waitForResult(session)).exitCode : await watchToEnd(session)
    const result = await collectResult(session, exitCode, config)
    if (values.json) print(JSON.stringify(result))
    else printSmokeResult(result)
    return exitCode
  },
})
