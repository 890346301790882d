import type { Config } from '#host/config'
import type { OptionValues } from '../command.ts'
import type { taskOptions } from '../input/task-options.ts'
import { printWarning } from '../output/launch-view.ts'

/** `dispatch "task" --queue` is `dispatch later "task"`. */
export async function queueTask(
  config: Config,
  values: OptionValues<typeof taskOptions>,
  task: Buffer,
): Promise<undefined> {
  const [{ buildItem }, { enqueueItem }, { printQueued }] = await Promise.all([
    import('../input/queue-options.ts'),
    import('./enqueue.ts'),
    import('../output/queue-view.ts'),
  ])
  const say = (text: string) => (values.json ? undefined : printWarning(text))
  const item = await buildItem(config, values, task, { say })
  printQueued(await enqueueItem(config, item), values.json ?? false)
}
