import fs from 'node:fs'
import path from 'node:path'
import type { Forge } from '#forge'
import {
  type Ignored,
  type Issue,
  type IssueHistory,
  type IssueList,
  type IssueQuery,
  isTrusted,
  listIssues,
  mayWrite,
  readHistory,
  type Trigger,
} from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { buildItem } from '../input/queue-options.ts'
import { describeIgnored } from '../output/issue-view.ts'
import type { ReportOnce } from '../report-once.ts'
import { IssueRefusal } from './claim.ts'
import type { IssuePlace } from './connect.ts'
import { type IssueRecord, isHeld, readRecord } from './record.ts'
import { ensureStarted, findIssueItem } from './start.ts'
import { getKey, takeIssue } from './take-issue.ts'

/** Which issues start by themselves: `label:dispatch` or `milestone:v2`. Pure. Undefined for another text. */
export function parseIssueQuery(text: string): IssueQuery | undefined {
  const [, kind, name = ''] = /^(label|milestone):(.{1,200})$/.exec(text) ?? []
  return kind === 'label' ? { label: name.trim() } : kind === 'milestone' ? { milestone: name.trim() } : undefined
}

/** What is kept of a repository from one poll to the next. */
export class SourceMemory {
  list: IssueList | undefined
  /** When each issue that was not taken, for a reason that it has itself, had last changed. */
  readonly refused = new Map<number, string>()
}

/**
 * Poll the issues of a query once, and take those whose work may start by itself. With a milestone they come one after the other.
 * `say` gets a line for each that was taken, with what is no part of its task, and once for each that was not. Returns what was taken.
 */
export async function takeFromSource(
  config: Config,
  place: IssuePlace,
  query: IssueQuery,
  memory: SourceMemory,
  { said, say }: { said: ReportOnce; say: (line: string) => void },
): Promise<IssueRecord[]> {
  const { forge } = place
  memory.list = await listIssues(forge, query, memory.list)
  const key = getSourceKey(forge, query)
  const getIssueKey = (number: number) => `${key}/${number}`
  const sayOnce = (number: number, line: string) => {
    if (said.note(getIssueKey(number), line)) say(`#${number} ${line}`)
  }
  said.forget(
    key,
    memory.list.issues.map(({ number }) => getIssueKey(number)),
  )
  const taken: IssueRecord[] = []
  for (const candidate of await orderCandidates(config, forge, query, memory)) {
    const { number, updatedAt } = candidate
    const before = 'milestone' in query ? await findPredecessor(config, forge, memory.list, number) : undefined
    if (typeof before === 'number') {
      // So do all that come after it.
      sayOnce(number, `waits for #${before}, which comes before it in the milestone and is not taken here`)
      break
    }
    try {
      const { record, ignored } = await takeOne(config, place, query, number, before)
      memory.refused.delete(number)
      said.forget(getIssueKey(number))
      say(`#${number}: claimed, as ${record.item}`)
      for (const line of describeIgnored(ignored)) say(`#${number}: ${line}`)
      taken.push(record)
    } catch (error) {
      if (!(error instanceof DispatchError) || error.exitCode !== exitCodes.conflict) throw error
      sayOnce(number, `is not taken: ${[error.message, error.remedy].filter(Boolean).join('. ')}`)
      // What this machine decides, such as a project file that is not confirmed, is looked at again each time.
      if (error instanceof IssueRefusal) memory.refused.set(number, updatedAt)
    }
  }
  return taken
}

// --- internal ---

/** An issue that may be taken, and when it was released for work. */
interface Candidate {
  number: number
  updatedAt: string
  releasedAt: string
}

/** Not what is held, nor what was refused for itself and has not changed since. By label the oldest label first, else by number. */
async function orderCandidates(
  config: Config,
  forge: Forge,
  query: IssueQuery,
  { list, refused }: SourceMemory,
): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for (const { number, updatedAt } of list?.issues ?? []) {
    const known = readRecord(config.home, getKey(forge, number))
    if (known !== undefined && isHeld(known)) continue
    if (refused.get(number) === updatedAt) continue
    const act = findAct(await readHistory(forge, number), query)
    // Given back, or ended without being closed: only a label that was set again starts it again.
    const isOver = known?.state === 'given back' || known?.state === 'ended'
    if (isOver && act !== undefined && Date.parse(act.at) <= Date.parse(known.trigger.at)) continue
    candidates.push({ number, updatedAt, releasedAt: act?.at ?? '' })
  }
  if ('milestone' in query) return candidates
  return candidates.sort((a, b) => a.releasedAt.localeCompare(b.releasedAt))
}

async function takeOne(
  config: Config,
  place: IssuePlace,
  query: IssueQuery,
  number: number,
  after: string | undefined,
): Promise<{ record: IssueRecord; ignored: Ignored[] }> {
  const { forge, checkout } = place
  const { record, ignored } = await takeIssue(config, {
    place,
    number,
    chooseTrigger: (issue, history) => chooseTrigger(forge, issue, history, query),
    buildItem: task =>
      buildItem(config, { repo: checkout, ...(after === undefined ? {} : { after: [after] }) }, task, {
        say: () => undefined,
        mayAsk: false,
      }),
    takesOver: false,
    startsHere: false,
  })
  return { record: await ensureStarted(config, record), ignored }
}

/** Who set the label must be allowed to write, or the author be trusted. Exit 5 otherwise. */
async function chooseTrigger(
  forge: Forge,
  { author, association }: Issue,
  history: IssueHistory,
  query: IssueQuery,
): Promise<Trigger> {
  const kind = 'label' in query ? 'label' : 'milestone'
  const act = findAct(history, query)
  if (act === undefined) throw new IssueRefusal(`GitHub does not say who set its ${kind}`)
  if (isTrusted(association) || (act.by !== '' && (await mayWrite(forge, act.by)))) return { kind, ...act }
  throw new IssueRefusal(
    `@${act.by || 'ghost'}, who set its ${kind}, may not write to the repository, and its author @${author} is ${association}`,
  )
}

/** Who set the label, or put it into the milestone, and when. */
function findAct({ labeled, milestoned }: IssueHistory, query: IssueQuery) {
  return 'label' in query ? labeled[query.label.toLowerCase()] : milestoned[query.milestone]
}

/**
 * What an issue of a milestone comes after: the item or the session of the last one before it that is not done. The number of that issue
 * where this home has no work for it, or none yet.
 */
async function findPredecessor(
  config: Config,
  forge: Forge,
  list: IssueList,
  number: number,
): Promise<string | number | undefined> {
  const before = list.issues.map(issue => issue.number).filter(each => each < number)
  for (const earlier of before.toReversed()) {
    const record = readRecord(config.home, getKey(forge, earlier))
    if (record === undefined || !(isHeld(record) || record.state === 'ended')) return earlier
    const { session } = record
    const item = await findIssueItem(config, record)
    if (item?.state === 'done') continue
    if (item !== undefined) return item.state === 'cancelled' ? earlier : item.id
    if (session !== null && fs.existsSync(path.join(config.workspace, session))) return session
    // An item that had a session and is not in the queue any more was done: what was taken out is given back.
    if (session === null || record.item === null) return earlier
  }
  return undefined
}

/** By what is said of the issues of a query. */
function getSourceKey({ address: { host, owner, name } }: Forge, query: IssueQuery): string {
  const [filter = []] = Object.entries(query)
  return `refused/${host}/${owner}/${name}/${filter.join(':')}`
}
