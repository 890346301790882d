import { readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type Item, itemStates, type Queue, wakeQueue } from '#queue'
import { wakeDaemon } from '../background.ts'
import { defineCommand, listActions, UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { queueForms } from '../input/queue-options.ts'
import { printItem, printQueue, summarizeItem, summarizeQueue } from '../output/queue-view.ts'
import { print } from '../output/terminal.ts'
import { changeItem } from '../queue/change.ts'
import { withQueue } from '../queue/open.ts'
import { readQueueState } from '../queue/queue-state.ts'

const openStates = itemStates.filter(state => state !== 'done' && state !== 'cancelled')

export const command = defineCommand({
  about: `
Shows what waits, runs and needs you, in the order in which it starts, and what holds it back.

  dispatch queue                     what has not ended (--all: everything)
  dispatch queue show q-17           one item
  dispatch queue move q-17 --first   before all others of its priority
  dispatch queue again q-17          try an item again that needs you
  dispatch queue rm q-17             take it out; its session goes on
`,
  usage: 'queue [action] [item] [options]',
  options: {
    all: { type: 'boolean', about: 'with ls: also what is done or was taken out' },
    priority: { type: 'string', value: 'PRIORITY', about: 'with move: critical, high, default or low' },
    first: { type: 'boolean', about: 'with move: before all others of its priority' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  forms: queueForms,
  choices: { action: () => listActions(queueForms) },
  async run(values, [action = 'ls', id = '']) {
    const config = readConfig()
    if (action === 'ls')
      return withQueue(config, async queue => {
        const state = await readQueueState(config, queue, values.all ? itemStates : openStates)
        if (values.json) print(JSON.stringify(summarizeQueue(state)))
        else printQueue(state)
        return exitCodes.ok
      })
    return withQueue(config, async queue => {
      const item = await requireItem(queue, id)
      if (action !== 'show') {
        await refuseAgent('queue')
        await changeItem(queue, item, action, values)
        // What is taken out starts nothing, so it needs no daemon.
        if (action === 'rm') wakeQueue(config.home)
        else await wakeDaemon(config)
      }
      const changed = await requireItem(queue, id)
      if (values.json) print(JSON.stringify(summarizeItem(changed)))
      else printItem(changed)
      return exitCodes.ok
    })
  },
})

async function requireItem(queue: Queue, id: string): Promise<Item> {
  const item = await queue.find(id)
  if (item !== undefined) return item
  if (id === '') throw new UsageError('which item? Name it, such as q-17', 'Run `dispatch queue`.')
  throw new DispatchError(`there is no item "${id}" in the queue`, {
    exitCode: exitCodes.notFound,
    remedy: 'Run `dispatch queue --all`.',
  })
}
