import { readConfig } from '#host/config'
import { defineCommand } from '../command.ts'
import { readTextInput } from '../input/task-input.ts'
import { parseTaskOptions, taskOptions } from '../input/task-options.ts'
import { startTask } from '../start-task.ts'

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
    if (values.queue) return (await import('../queue/queue-task.ts')).queueTask(config, values, task)
    return startTask(config, values, { task })
  },
})
