import { readConfig } from '#host/config'
import { defineCommand } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { buildItem, queueOptions } from '../input/queue-options.ts'
import { readTextInput } from '../input/task-input.ts'
import { printWarning } from '../output/launch-view.ts'
import { printQueued } from '../output/queue-view.ts'
import { enqueueItem } from '../queue/enqueue.ts'

export const command = defineCommand({
  about: `
Puts a task into the queue. The daemon starts it when its turn has come: the most urgent first, then the oldest, as many at once
as MAX_SESSIONS, MAX_SESSIONS_PROJECT and the free memory allow. A session that ends with FAIL is tried again, three times in all;
then the item needs you. What is wrong with the machine, the login or the vendor uses up no attempt.
`,
  usage: `later "task" [options]
       dispatch later --file FILE    from a file
       dispatch later -              from standard input`,
  options: queueOptions,
  async run(values, positionals) {
    const task = await readTextInput(values.file, positionals, {
      name: 'task',
      remedy: 'Describe the task: dispatch later "fix the login"',
    })
    const config = readConfig()
    await refuseAgent('later')
    const say = (text: string) => (values.json ? undefined : printWarning(text))
    const item = await buildItem(config, values, task, { say })
    printQueued(await enqueueItem(config, item), values.json ?? false)
  },
})
