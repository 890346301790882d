import { isDeepStrictEqual } from 'node:util'
import type { Forge } from '#forge'
import { createComment, readComments } from '#forge/issues'
import { addSubIssue, createIssue, findMarkedIssues, listSubIssues } from '#forge/sub-issues'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { formatIssue } from '../issues/record.ts'
import { getKey } from '../issues/take-issue.ts'
import { readIssueWords } from './issue-text.ts'
import {
  createChangedError,
  createHalfMadeError,
  type ProposedIssue,
  readSplit,
  type SplitRecord,
  withSplit,
  writeSplit,
} from './proposal.ts'

/** What was made. `kind`: how the issue names them. */
export interface AcceptedSplit {
  record: SplitRecord
  kind: 'sub-issues' | 'task list'
}

/** The proposal for an issue that a person may accept now. Exit 4 without one, 5 where it was made already, or the issue has changed since. */
export async function requireProposal(config: Config, forge: Forge, number: number): Promise<SplitRecord> {
  const key = getKey(forge, number)
  const record = readSplit(config.home, key)
  if (record !== undefined) return requireAcceptable(forge, record)
  const remedy = `To have one made: dispatch split ${number}`
  throw new DispatchError(`there is no proposal for ${formatIssue(key)}`, { exitCode: exitCodes.notFound, remedy })
}

/**
 * Make the issues of a proposal, each once: what a command that was cut off has made is found again by its mark. They become sub-issues;
 * where this GitHub knows none, a comment on the issue lists them.
 */
export async function acceptSplit(config: Config, forge: Forge, proposed: SplitRecord): Promise<AcceptedSplit> {
  let record = writeSplit(config.home, proposed, { state: 'accepting' })
  const { number, id, issues } = record
  const children = await listSubIssues(forge, number)
  const found = await findMarkedIssues(forge, `${MARK}${id}/`, record.proposedAt)
  for (const [at, { title }] of issues.entries()) {
    const known = record.made[at] ?? found.get(`${at + 1} -->`)
    const issue = known ?? (await createIssue(forge, { title, body: renderBody(record, at) }))
    record = writeSplit(config.home, record, {
      made: [...record.made.slice(0, at), issue, ...record.made.slice(at + 1)],
    })
    if (children !== undefined && !children.includes(issue.id)) await addSubIssue(forge, number, issue.id)
  }
  if (children === undefined) await listInComment(forge, record)
  const kind = children === undefined ? 'task list' : 'sub-issues'
  return { record: writeSplit(config.home, record, { state: 'accepted' }), kind }
}

/**
 * The same with the proposal that is kept now, while no other command of this home works on it. `edited`: what a person has made of it.
 * Exit 5 if it is not what was shown, or the issue has changed since.
 */
export async function acceptAlone(
  config: Config,
  forge: Forge,
  shown: SplitRecord,
  edited?: ProposedIssue[],
): Promise<AcceptedSplit> {
  return withSplit(config.home, shown, async () => {
    const now = readSplit(config.home, shown)
    if (now?.id !== shown.id || !isDeepStrictEqual(now.issues, shown.issues)) throw createChangedError(shown)
    await requireAcceptable(forge, now)
    if (edited !== undefined && now.state === 'accepting') throw createHalfMadeError(now)
    return acceptSplit(config, forge, { ...now, issues: edited ?? now.issues })
  })
}

/** The text of an issue that is made. Pure. */
export function renderBody({ number, id, issues, made }: SplitRecord, at: number): string {
  const { text = '', acceptance = [], after = [] } = issues[at] ?? {}
  const before = after.flatMap(each => made[each - 1]?.number ?? [])
  return [
    text,
    '',
    'Done when:',
    '',
    ...acceptance.map(sentence => `- ${sentence}`),
    '',
    ...(before.length > 0 ? [`After ${formatNumbers(before)}.`, ''] : []),
    `Part of #${number}.`,
    '',
    `${MARK}${id}/${at + 1} -->`,
  ].join('\n')
}

// --- internal ---

const MARK = '<!-- dispatch:split '

async function requireAcceptable(forge: Forge, record: SplitRecord): Promise<SplitRecord> {
  const { number, state, made, proposedAt, wordsSha256 } = record
  if (state === 'accepted')
    throw new DispatchError(
      `the proposal for ${formatIssue(record)} is on GitHub: ${formatNumbers(made.map(({ number }) => number))}`,
      { exitCode: exitCodes.conflict, remedy: `To have one made: dispatch split ${number}` },
    )
  // What was begun is finished, whatever people have said meanwhile.
  if (state === 'accepting') return record
  if ((await readIssueWords(forge, number)).sha256 === wordsSha256) return record
  throw new DispatchError(`${formatIssue(record)} has changed since the proposal of ${proposedAt}`, {
    exitCode: exitCodes.conflict,
    remedy: `Nothing was changed. Have it proposed again: dispatch split ${number}`,
  })
}

const formatNumbers = (numbers: number[]) => numbers.map(number => `#${number}`).join(', ')

async function listInComment(forge: Forge, { number, id, made }: SplitRecord): Promise<void> {
  const mark = `${MARK}${id} -->`
  if ((await readComments(forge, number)).some(({ body }) => body.startsWith(mark))) return
  const tasks = made.map(each => `- [ ] #${each.number}`)
  await createComment(forge, number, [mark, 'This issue was split:', '', ...tasks].join('\n'))
}
