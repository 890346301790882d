import { z } from 'zod'
import { sha256 } from '#host/hash.ts'
import { sanitize, toOneLine } from '#host/text.ts'
import { MINUTE_MS } from '#host/time.ts'
import { type CheckReport, FIRST_CHECK_MS, getReportedForMs } from '../check-reports.ts'
import { isTrusted } from '../issues/trust.ts'
import { removeHidden } from '../issues/visible-text.ts'
import type { Words } from './comments.ts'

/** Something about a pull request that another attempt is to settle, with its words as they were read. */
export const Finding = z.object({
  kind: z.enum(['check', 'thread', 'review', 'conversation', 'conflict']),
  /** The same for the same thing. */
  key: z.string(),
  /** What it is, on one line. */
  title: z.string(),
  url: z.string(),
  /** The first comment of the thread in which it is answered; null: in the conversation. */
  threadId: z.number().nullable(),
  /** What machines say, each on one line. */
  reports: z.array(z.string()),
  /** What people say. */
  words: z.array(z.object({ heading: z.string(), text: z.string() })),
  /** The words that it settles, by kind and number, with the hash of their text. */
  settles: z.record(z.string(), z.string()),
})
export type Finding = z.infer<typeof Finding>

/** Whose words are not read, and how many there are. */
export interface IgnoredWords {
  author: string
  association: string
  count: number
}

/** What a red check says, line by line. */
export interface CheckDetails {
  annotations: string[]
  log: string[]
}

/** What is known of a pull request. */
export interface Feedback {
  commit: string
  base: string
  isMergeable: boolean | null
  /** Its branch asks for the newest state below it. */
  isBehind: boolean
  reports: CheckReport[]
  /** What each red check says of lines of files, and the end of its log. Two of them may have one name. */
  details: Map<CheckReport, CheckDetails>
  /** The checks that the branch asks for. */
  required: string[]
  words: Words[]
  /** The login that runs, whose words count too. */
  ownLogin: string
  /** What earlier attempts have settled. */
  settled: Record<string, string>
}

/**
 * What another attempt is to settle: a conflict, red checks of exactly this commit, and words of people who may decide that are not
 * settled yet. While such words are being written, it is nothing: all that is written in one go is for one attempt. The words of others
 * are ignored and counted. Pure.
 */
export function selectFindings(
  feedback: Feedback,
  nowMs = Date.now(),
): { findings: Finding[]; ignored: IgnoredWords[] } {
  const { commit, base, isMergeable, isBehind, words, ownLogin, settled, details } = feedback
  const trusted = words.filter(({ author, association }) => isTrusted(association) || author === ownLogin)
  // Only these are believed that dispatch has written something.
  const asking = trusted.filter(
    each => !each.body.startsWith(OWN_MARK) && readVisible(each) !== '' && asksDispatch(each, ownLogin),
  )
  const isOpen = (each: Words) => settled[getKey(each)] !== sha256(readVisible(each))
  const groups = Object.values(Object.groupBy(asking, getGroup)).map(group => group ?? [])
  const ignored = countIgnored(words.filter(each => !trusted.includes(each)))
  if (asking.some(each => isOpen(each) && isFresh(each, nowMs))) return { findings: [], ignored }
  return {
    findings: [
      ...(isMergeable === false || isBehind ? [createConflict(commit, base, isBehind)] : []),
      ...listRedChecks(feedback).map(report => createCheck(report, commit, details.get(report))),
      ...groups.filter(group => group.some(isOpen)).map(createFromWords),
    ],
    ignored,
  }
}

/**
 * The red checks that count: those that the branch asks for, at once; where it asks for no check, all of them, as soon as each has ended,
 * and a minute after the first of them, because another may be about to begin. Not those that dispatch itself has made, nor those without
 * a verdict. Pure.
 */
export function listRedChecks(
  { reports, required }: Pick<Feedback, 'reports' | 'required'>,
  nowMs = Date.now(),
): CheckReport[] {
  const foreign = reports.filter(({ name }) => !/^dispatch(\/|$)/i.test(name))
  const red = foreign.filter(({ state, isWithoutVerdict }) => state === 'red' && !isWithoutVerdict)
  if (required.length > 0) return red.filter(({ name }) => required.includes(name))
  const isEarly = (getReportedForMs(foreign, nowMs) ?? 0) < FIRST_CHECK_MS
  return isEarly || foreign.some(({ state }) => state === 'pending') ? [] : red
}

// --- internal ---

/** What dispatch writes begins so. */
const OWN_MARK = '<!-- dispatch:'
/** A person who has written nothing for so long has said it all. */
const QUIET_MS = 2 * MINUTE_MS
const MAX_REPORT_CHARS = 900
const MAX_WORDS_CHARS = 20_000
const MAX_TITLE_CHARS = 200

const getKey = ({ kind, id }: Words) => `${kind}/${id}`
const getGroup = (words: Words) => (words.threadId === null ? getKey(words) : `thread/${words.threadId}`)

/**
 * Words on a line and in a review are about the work. In the conversation people also speak with each other: there it is asked by
 * `/dispatch` or `@dispatch`, or by the name of the App.
 */
function asksDispatch(words: Words, ownLogin: string): boolean {
  if (words.kind !== 'conversation') return true
  const app = ownLogin.endsWith('[bot]') ? ownLogin.slice(0, -'[bot]'.length).toLowerCase() : 'dispatch'
  const called = [...readVisible(words).matchAll(/(?<![\w/@.-])([/@])([\w-]+)(?![\w/])/g)]
  return called.some(([, sign, name = '']) => {
    const lower = name.toLowerCase()
    return lower === 'dispatch' || (sign === '@' && lower === app)
  })
}

/** A time that is ahead by more is that of another clock. */
function isFresh({ createdAt, editedAt }: Words, nowMs: number): boolean {
  return Math.abs(nowMs - Date.parse(editedAt ?? createdAt)) < QUIET_MS
}

/** What a reader of GitHub sees. */
function readVisible({ body }: Words): string {
  return sanitize(removeHidden(body.replace(/\r\n?/g, '\n')))
    .trim()
    .slice(0, MAX_WORDS_CHARS)
}

function createConflict(commit: string, base: string, isBehind: boolean): Finding {
  const [title, reason] = isBehind
    ? [`${base}, which has changed since`, `${base} asks for branches that are up to date, and has changed since`]
    : [`the conflict with ${base}`, `the work does not merge into ${base}, which has changed the same places since`]
  const report = `${reason}. You begin at the newest ${base}, without that work: do the task there`
  return {
    ...{ kind: 'conflict', key: `conflict/${commit}`, title, url: '', threadId: null },
    ...{ reports: [report], words: [], settles: {} },
  }
}

/** The end of what a check says is the part that tells most. */
function createCheck({ name, text, url }: CheckReport, commit: string, details?: CheckDetails): Finding {
  const title = toOneLine(`the check ${name}`, MAX_TITLE_CHARS)
  const said = toOneLine(sanitize(text), Number.MAX_SAFE_INTEGER)
  const tail = said.length > MAX_REPORT_CHARS ? `… ${said.slice(-MAX_REPORT_CHARS)}` : said
  return {
    ...{ kind: 'check', key: `check/${commit}/${name}`, title, url, threadId: null, words: [], settles: {} },
    reports: [
      `${title} is red for this work (commit ${commit.slice(0, 10)})${tail === '' ? '' : `: ${tail}`}`,
      ...(details?.annotations ?? []).map(line => `${title}: ${toOneLine(sanitize(line), MAX_REPORT_CHARS)}`),
      ...(details?.log ?? []).map(line => `the log of ${title}: ${line}`),
    ],
  }
}

/** A thread is one finding, with all that trusted people say in it. */
function createFromWords(group: Words[]): Finding {
  const [first] = group
  if (first === undefined) throw new Error('a finding without words')
  const { kind, author, place, url, threadId } = first
  const names = { line: 'the review comment on', review: 'the review', conversation: 'the comment' }
  const title = toOneLine([names[kind], place, `by ${author}`].filter(Boolean).join(' '), MAX_TITLE_CHARS)
  return {
    ...{ kind: kind === 'line' ? 'thread' : kind, key: getGroup(first), title, url, threadId, reports: [] },
    words: group.map(each => ({
      heading: toOneLine(
        `${[names[each.kind].replace(/^the /, ''), each.place].filter(Boolean).join(' ')} by @${each.author} (${each.association}), ${each.createdAt}`,
        MAX_TITLE_CHARS,
      ),
      text: readVisible(each),
    })),
    settles: Object.fromEntries(group.map(each => [getKey(each), sha256(readVisible(each))])),
  }
}

function countIgnored(words: Words[]): IgnoredWords[] {
  const byAuthor = Object.values(Object.groupBy(words, ({ author }) => author))
  return byAuthor.flatMap(own => {
    const [first] = own ?? []
    return first === undefined
      ? []
      : [{ author: first.author, association: first.association, count: own?.length ?? 0 }]
  })
}
