import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { chooseWorkflow, installWorkflow, removeWorkflow } from '../actions/actions.ts'
import { readJob } from '../actions/job.ts'
import { renderWorkflow } from '../actions/workflow.ts'
import { defineCommand, listActions } from '../command.ts'
import { actionsForms, actionsOptions } from '../input/actions-options.ts'
import { refuseAgent } from '../input/confirm.ts'
import { printReported } from '../output/actions-view.ts'
import { describeIgnored } from '../output/issue-view.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Runs sessions on runners of GitHub Actions: a person with the right to write starts one by hand, or by the label of an issue. The
verdict becomes a check run, a PASS a pull request. install writes one file into your checkout and commits nothing. A file that dispatch
has not written is shown and left alone (exit 5). See docs/actions.md.

  dispatch actions                   the workflow as it would be written
  dispatch actions install           writes .github/workflows/dispatch.yml
  dispatch actions uninstall         removes it
  dispatch actions task              in a job: prints the task of its event
  dispatch actions report            in a job: reports the verdict
`,
  usage: 'actions [action] [options]',
  options: actionsOptions,
  forms: actionsForms,
  choices: { action: () => listActions(actionsForms) },
  async run(values, [action = 'show']) {
    const config = readConfig()
    if (action === 'show') {
      process.stdout.write(renderWorkflow(await chooseWorkflow(config, values)))
      return exitCodes.ok
    }
    if (action === 'task') {
      const { readJobTask } = await import('../actions/job-task.ts')
      const { task, ignored } = await readJobTask(config, readJob(), values.label ?? 'dispatch')
      for (const line of describeIgnored(ignored)) process.stderr.write(`${line}\n`)
      process.stdout.write(task)
      return exitCodes.ok
    }
    await refuseAgent(`actions ${action}`)
    if (action === 'report') {
      const { reportJob } = await import('../actions/report.ts')
      const say = (text: string) => process.stderr.write(`${text}\n`)
      const opensPullRequest = values['pull-request'] ?? false
      const report = await reportJob(config, readJob(), { opensPullRequest, problemFile: values.problem, say })
      if (values.json) print(JSON.stringify(report))
      else printReported(report)
      return report.exitCode
    }
    const result = action === 'install' ? await installWorkflow(config, values) : await removeWorkflow(values)
    if (values.json) print(JSON.stringify(result))
    return exitCodes.ok
  },
})
