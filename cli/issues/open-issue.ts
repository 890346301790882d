import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { startBackground } from '../background.ts'
import type { OptionValues } from '../command.ts'
import type { issueOptions } from '../input/issue-options.ts'
import { buildItem } from '../input/queue-options.ts'
import { parseTaskOptions } from '../input/task-options.ts'
import { requireItems } from '../queue/enqueue.ts'
import { withQueue } from '../queue/open.ts'
import { startTask } from '../start-task.ts'
import { giveBack } from './claim.ts'
import type { IssuePlace } from './connect.ts'
import { formatIssue, type IssueRecord, withIssue } from './record.ts'
import { ensureStarted, findIssueSession } from './start.ts'
import { type Taken, takeIssue } from './take-issue.ts'

type IssueValues = OptionValues<typeof issueOptions>

/** Claim an issue because a person says so, with the options of their command. */
export async function takeForPerson(
  config: Config,
  place: IssuePlace,
  number: number,
  values: IssueValues,
  say: (line: string) => void,
): Promise<Taken> {
  const { after = [] } = values
  parseTaskOptions(values)
  if (after.length > 0) await withQueue(config, queue => requireItems(queue, after))
  return takeIssue(config, {
    place,
    number,
    chooseTrigger: issue => ({ kind: 'command', by: 'you', at: issue.readAt }),
    buildItem: task => buildItem(config, { ...values, repo: place.checkout }, task, { say }),
    takesOver: values['take-over'] ?? false,
    startsHere: values.now ?? false,
  })
}

/** Put a claimed issue into the queue, and see to it that the daemon runs. */
export async function queueIssue(config: Config, record: IssueRecord): Promise<IssueRecord> {
  const started = await ensureStarted(config, record)
  await startBackground(config)
  return started
}

/** Exit 5, and where to follow it: this home has claimed the issue before, so `--now` starts nothing. */
export function refuseStarted(config: Config, record: IssueRecord): never {
  const session = record.session ?? findIssueSession(config, record)?.id
  const letters = session?.slice(-4)
  throw new DispatchError(
    `${formatIssue(record)} was claimed before${session === undefined ? '' : `, for session ${session}`}; nothing was started`,
    {
      exitCode: exitCodes.conflict,
      remedy:
        letters !== undefined
          ? `To follow it: dispatch watch ${letters}. To wait for its verdict: dispatch wait ${letters}`
          : record.item !== null
            ? `Its item waits in the queue: dispatch queue show ${record.item}`
            : 'Another command starts it just now. To see that: dispatch ls',
    },
  )
}

/**
 * Start the session of a claimed issue as `dispatch "task"` does. Where nothing started, the issue is given back. Returns the exit code.
 */
export async function startIssueNow(
  config: Config,
  { forge, checkout }: IssuePlace,
  { record, ignored }: Taken,
  values: IssueValues,
): Promise<number> {
  const request = { task: Buffer.from(record.task), details: { issue: formatIssue(record), ignored } }
  try {
    return await startTask(config, { ...values, repo: checkout }, request)
  } catch (error) {
    if (findIssueSession(config, record) === undefined)
      await withIssue(config.home, record, () => giveBack(config.home, forge, record, 'its session did not start'))
    throw error
  }
}
