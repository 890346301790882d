/** What `dispatch "task"` has to do with the queue. It is loaded only where it is needed, so as not to delay a start. */
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

/** A person's own session always starts. Say so where it is one more than the limits of the queue allow. */
export async function warnOverCap(
  config: Config,
  repository: string | undefined,
  say: (text: string) => void,
): Promise<void> {
  const warning = await (await import('./load.ts')).describeOverCap(config, repository)
  if (warning !== undefined) say(warning)
}
