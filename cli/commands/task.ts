import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { describeFreeSpace, FREE_SPACE_REMEDY, LOW_SPACE_BYTES, measureFreeSpace } from '#host/fs'
import { findRepoWarnings } from '#host/git'
import { defineCommand } from '../command.ts'
import { readTextInput } from '../input/task-input.ts'
import { parseTaskOptions, taskOptions } from '../input/task-options.ts'
import { launchTask } from '../launch-task.ts'
import { printIntroduction, printNextCommands, printWarning } from '../output/launch-view.ts'
import { print } from '../output/terminal.ts'
import { queueTask, warnOverCap } from '../queue/doors.ts'
import { waitForResult, watchToEnd } from '../wait-for-result.ts'
import { waitForFirstAnswer } from '../wait-for-start.ts'

export const command = defineCommand({
  about: `
Starts a session. An orchestrator (Claude) plans the task, writes a contract and gives it to workers. Dispatch runs every check
of the contract on a clean copy of the work, and a judge from another vendor gives the verdict. The command returns when the
model has answered once.
`,
  usage: `"task" [options]
       dispatch --file FILE | dispatch -     from a file, or standard input
       dispatch -- "-a task that begins with a dash"`,
  options: taskOptions,
  optionRemedy:
    'Put a task that begins with a dash after two dashes: dispatch -- "-…". For the options: dispatch "task" --help',
  async run(values, positionals) {
    const task = await readTextInput(values.file, positionals, {
      name: 'task',
      remedy: 'Describe the task: dispatch "fix the login"',
    })
    parseTaskOptions(values)
    const config = readConfig()
    const say = (text: string) => (values.json ? undefined : printWarning(text))
    if (values.queue) return queueTask(config, values, task)
    const session = await launchTask(config, values, task, say)
    if (!values.json) printIntroduction(session, config)
    const freeBytes = measureFreeSpace(config.home)
    if (freeBytes < LOW_SPACE_BYTES) say(`${describeFreeSpace(config.home, freeBytes)}. ${FREE_SPACE_REMEDY}`)
    const { repository } = session.manifest
    const [warnings, start] = await Promise.all([
      repository ? findRepoWarnings(repository).catch(() => []) : [], // A repository that cannot be inspected still starts.
      values['no-wait'] ? null : waitForFirstAnswer(session, config, say),
    ])
    for (const warning of warnings) say(warning)
    if (session.manifest.queueItem === null) await warnOverCap(config, say)
    const { startBackground } = await import('../background.ts') // Loaded this late so as not to delay the start.
    const serverUrl = await startBackground(config)
    const page = serverUrl === undefined ? undefined : `${serverUrl}/s/${session.id}`
    if (values.wait && !values.json) return watchToEnd(session)
    if (values.wait) {
      const result = await waitForResult(session)
      print(JSON.stringify(result))
      return result.exitCode
    }
    if (values.json) print(JSON.stringify({ id: session.id, folder: session.paths.folder, page: page ?? null }))
    else printNextCommands(session, page, start)
    return exitCodes.ok
  },
})
