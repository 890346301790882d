import { connectForge, type Forge, findClosingPullRequest } from '#forge'
import {
  type Ignored,
  mayWrite,
  pinIssue,
  readBranchTip,
  readClaims,
  readComments,
  readHistory,
  readIssue,
  type Trigger,
} from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { UsageError } from '../command.ts'
import { formatIssue, getClaimBranch, type IssueKey } from '../issues/record.ts'
import { getKey, renderIssueTask } from '../issues/take-issue.ts'
import type { Job } from './job.ts'

/** The task of a job, and whose words are not part of it. */
export interface JobTask {
  task: string
  ignored: Ignored[]
}

/**
 * The task of a job: what a person typed, who may write because GitHub lets no other start a workflow; or the issue as it was when its
 * label was set. Exit 5 where it may not start: who set the label may not write, the text has changed since, a machine has claimed it, or
 * a session has done it already.
 */
export async function readJobTask(config: Config, { address, start }: Job, label: string): Promise<JobTask> {
  if ('task' in start) return { task: start.task, ignored: [] }
  if (start.label.toLowerCase() !== label.toLowerCase())
    throw new UsageError(`the label "${start.label}" starts nothing here`, `Only "${label}" does.`)
  const forge = await connectForge(address, config)
  const key = getKey(forge, start.issue)
  const issue = await readIssue(forge, start.issue)
  if (!issue.isOpen) throw refuse(key, 'it is closed', 'Reopen it, then set the label again.')
  await refuseClaimed(forge, key)
  await refuseDone(forge, key)
  const { labeled, renamedAt } = await readHistory(forge, start.issue)
  const trigger = await chooseTrigger(forge, key, labeled[label.toLowerCase()])
  const pinned = pinIssue(issue, await readComments(forge, start.issue), renamedAt, trigger)
  if ('refusal' in pinned) throw refuse(key, pinned.refusal)
  return { task: renderIssueTask(key, pinned.blocks), ignored: pinned.ignored }
}

// --- internal ---

/** A machine of a person works on it. The job claims nothing itself, because its token may only read. */
async function refuseClaimed(forge: Forge, key: IssueKey): Promise<void> {
  const [claim] = await readClaims(forge, key.number)
  if (claim === undefined && (await readBranchTip(forge, getClaimBranch(key))) === undefined) return
  const owner = claim === undefined ? 'a machine' : `@${claim.author}, on the machine ${claim.machine},`
  throw refuse(key, `${owner} has claimed it`, `To give it back there: dispatch issue ${key.number} --release`)
}

/** A label that is set again, or a run that is repeated, would make a second pull request. */
async function refuseDone(forge: Forge, key: IssueKey): Promise<void> {
  const found = await findClosingPullRequest(forge, key.number)
  if (found === undefined) return
  throw refuse(key, `pull request #${found.number} closes it`, 'Merge that, or close it and set the label again.')
}

async function chooseTrigger(
  forge: Forge,
  key: IssueKey,
  act: { by: string; at: string } | undefined,
): Promise<Trigger> {
  if (act === undefined) throw refuse(key, 'the label is no longer set')
  if (act.by !== '' && (await mayWrite(forge, act.by))) return { kind: 'label', ...act }
  throw refuse(key, `@${act.by || 'ghost'}, who set the label, may not write to the repository`)
}

function refuse(key: IssueKey, reason: string, remedy = ''): DispatchError {
  return new DispatchError(`${formatIssue(key)} does not start: ${reason}`, { exitCode: exitCodes.conflict, remedy })
}
