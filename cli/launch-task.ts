import type { Config } from '#host/config'
import { launchSession } from '#runner'
import type { Session } from '#session'
import type { OptionValues } from './command.ts'
import { resolveProject } from './input/project.ts'
import { resolveSandbox } from './input/sandbox-options.ts'
import { parseTaskOptions, type taskOptions } from './input/task-options.ts'
import { launchClaimed, readClaim } from './queue/claim.ts'
import { refusePause } from './queue/pause.ts'

/** Create the session of `dispatch "task"`, for a person or for an item of the queue. Exit 5 while dispatch is paused. */
export async function launchTask(
  config: Config,
  values: OptionValues<typeof taskOptions>,
  task: Buffer,
  say: (text: string) => void,
): Promise<Session> {
  const options = parseTaskOptions(values)
  const claim = readClaim()
  const startedDespitePause = refusePause(config, values.force ?? false)
  const launch = () =>
    launchSession(config, {
      ...options,
      task,
      queueItem: claim,
      startedDespitePause,
      chooseSandbox: () => resolveSandbox(config, values.sandbox),
      chooseProject: async (repository, sandbox) =>
        values['no-setup'] ? null : resolveProject(config, repository, { sandbox, say }),
    })
  return claim === null ? launch() : launchClaimed(config, claim, launch)
}
