import type { Forge } from '#forge'
import {
  type Gate,
  type Issue,
  type IssueList,
  type IssueQuery,
  isTrusted,
  listIssues,
  mayWrite,
  readHistory,
  readIssue,
} from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { buildItem } from '../input/queue-options.ts'
import type { IssuePlace } from './connect.ts'
import { type IssueRecord, isHeld, listRecords, readRecord } from './record.ts'
import { ensureStarted, findIssueItem } from './start.ts'
import { getKey, takeIssue } from './take.ts'

/** Which issues start by themselves: `label:dispatch` or `milestone:v2`. Pure. Undefined for another text. */
export function parseIssueQuery(text: string): IssueQuery | undefined {
  const [, kind, name = ''] = /^(label|milestone):(.{1,200})$/.exec(text) ?? []
  return kind === 'label' ? { label: name.trim() } : kind === 'milestone' ? { milestone: name.trim() } : undefined
}

/** What is kept of a repository from one look to the next. */
export class SourceMemory {
  list: IssueList | undefined
  /** When each issue that was not taken had last changed, and why. */
  readonly refused = new Map<number, { updatedAt: string; reason: string }>()
}

/**
 * Look once at the issues of a query, and take those whose work may start by itself. With a milestone they come one after the other.
 * `say` gets a line for each that was taken, and once for each that was not. Returns what was taken.
 */
export async function takeFromSource(
  config: Config,
  place: IssuePlace,
  query: IssueQuery,
  memory: SourceMemory,
  say: (line: string) => void,
): Promise<IssueRecord[]> {
  memory.list = await listIssues(place.forge, query, memory.list)
  const taken: IssueRecord[] = []
  for (const candidate of await orderCandidates(config, place.forge, query, memory)) {
    const { number, updatedAt } = candidate
    const after = 'milestone' in query ? await findPredecessor(config, place.forge, memory.list, number) : undefined
    if (after === 'elsewhere') break
    try {
      const record = await takeOne(config, place, query, candidate, after)
      memory.refused.delete(number)
      say(`#${number}: claimed, as ${record.item}`)
      taken.push(record)
    } catch (error) {
      if (!(error instanceof DispatchError) || error.exitCode !== exitCodes.conflict) throw error
      if (memory.refused.get(number)?.reason !== error.message) say(`#${number} is not taken: ${error.message}`)
      memory.refused.set(number, { updatedAt, reason: error.message })
    }
  }
  return taken
}

// --- internal ---

/** An issue that may be taken, with who may have released it for work, and when. */
interface Candidate {
  number: number
  updatedAt: string
  act: { by: string; at: string } | undefined
}

/** Not what is held, nor what was refused and has not changed since. By label the oldest label first, else by number. */
async function orderCandidates(
  config: Config,
  forge: Forge,
  query: IssueQuery,
  { list, refused }: SourceMemory,
): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for (const { number, updatedAt } of list?.issues ?? []) {
    const known = readRecord(config.home, getKey(forge, number))
    if (known !== undefined && (isHeld(known) || known.state === 'ended')) continue
    if (refused.get(number)?.updatedAt === updatedAt) continue
    const { labeled, milestoned } = await readHistory(forge, number)
    const act = 'label' in query ? labeled[query.label.toLowerCase()] : milestoned[query.milestone]
    // Given back: only a label that was set again starts it again.
    if (known?.state === 'given back' && act !== undefined && Date.parse(act.at) <= Date.parse(known.gate.at)) continue
    candidates.push({ number, updatedAt, act })
  }
  if ('milestone' in query) return candidates
  return candidates.sort((a, b) => (a.act?.at ?? '').localeCompare(b.act?.at ?? ''))
}

async function takeOne(
  config: Config,
  place: IssuePlace,
  query: IssueQuery,
  { number, act }: Candidate,
  after: string | undefined,
): Promise<IssueRecord> {
  const { forge, checkout } = place
  const kind = 'label' in query ? 'label' : 'milestone'
  const gate = await chooseGate(forge, await readIssue(forge, number), kind, act)
  const { record } = await takeIssue(config, {
    place,
    number,
    chooseGate: () => gate,
    buildItem: task =>
      buildItem(config, { repo: checkout, ...(after === undefined ? {} : { after: [after] }) }, task, {
        say: () => undefined,
        mayAsk: false,
      }),
    takesOver: false,
    startsHere: false,
  })
  return ensureStarted(config, record)
}

/** Who set the label must be allowed to write, or the author be trusted. Exit 5 otherwise. */
async function chooseGate(
  forge: Forge,
  { author, association }: Issue,
  kind: 'label' | 'milestone',
  act: Candidate['act'],
): Promise<Gate> {
  if (act === undefined)
    throw new DispatchError(`GitHub does not say who set its ${kind}`, { exitCode: exitCodes.conflict })
  if (isTrusted(association) || (act.by !== '' && (await mayWrite(forge, act.by)))) return { kind, ...act }
  throw new DispatchError(
    `@${act.by || 'ghost'}, who set its ${kind}, may not write to the repository, and its author @${author} is ${association}`,
    { exitCode: exitCodes.conflict },
  )
}

/** The item that an issue of a milestone comes after: that of the last one before it which is not done. */
async function findPredecessor(
  config: Config,
  forge: Forge,
  list: IssueList,
  number: number,
): Promise<string | 'elsewhere' | undefined> {
  const { host, owner, name } = getKey(forge, number)
  const own = listRecords(config.home).filter(
    record => record.host === host && record.owner === owner && record.name === name && isHeld(record),
  )
  const before = list.issues.map(issue => issue.number).filter(each => each < number)
  for (const earlier of before.toReversed()) {
    const record = own.find(each => each.number === earlier)
    const item = record && (await findIssueItem(config, record))
    if (item !== undefined && item.state !== 'done' && item.state !== 'cancelled') return item.id
    const lost = readRecord(config.home, { host, owner, name, number: earlier })?.state === 'lost'
    if (lost) return 'elsewhere'
  }
  return undefined
}
