import type { Forge } from '#forge'
import { type Issue, pinIssue, readComments, readHistory, readIssue } from '#forge/issues'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sha256 } from '#host/hash.ts'
import { createClosedError } from '../issues/claim.ts'
import { formatIssue } from '../issues/record.ts'
import { getKey } from '../issues/take-issue.ts'

type Pinned = Extract<ReturnType<typeof pinIssue>, { blocks: unknown }>

/** The words of an issue that count, as they are now. */
export interface IssueWords extends Pinned {
  issue: Issue
  /** The same words have the same hash. */
  sha256: string
}

/** Read the words of an open issue: its text, and the comments of those who may decide. Exit 5 for a closed one. */
export async function readIssueWords(forge: Forge, number: number): Promise<IssueWords> {
  const key = getKey(forge, number)
  const issue = await readIssue(forge, number)
  if (!issue.isOpen) throw createClosedError(key)
  const { renamedAt } = await readHistory(forge, number)
  const trigger = { kind: 'command', by: 'you', at: issue.readAt } as const
  const pinned = pinIssue(issue, await readComments(forge, number), renamedAt, trigger)
  if ('refusal' in pinned)
    throw new DispatchError(`${formatIssue(key)} is not split: ${pinned.refusal}`, { exitCode: exitCodes.conflict })
  return { ...pinned, issue, sha256: sha256(JSON.stringify(pinned.blocks)) }
}
