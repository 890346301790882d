import type { Answer, Finding } from '#forge/feedback'
import { sha256 } from '#host/hash.ts'
import { escapeMarkdown, type Matrix } from '#session/traceability'
import type { PullRequestRecord } from './record.ts'

/** How a new attempt has ended, as it is told in the pull request. */
export interface AttemptEnd {
  /** What was pushed; null without a PASS. */
  commit: string | null
  /** Why there is no PASS. */
  reason: string
  /** Of the session, once it has one. */
  matrix: Matrix | undefined
}

/**
 * One answer for each thread; in the conversation, one for each review or comment, and one for what machines say of a commit. Their ids
 * stay the same for the same words, whatever else an attempt settles, so that a later outcome takes the place of an earlier one. Pure.
 */
export function renderAnswers(
  { secret }: Pick<PullRequestRecord, 'secret'>,
  findings: Finding[],
  end: AttemptEnd,
): Answer[] {
  const threads = findings.filter(({ threadId }) => threadId !== null)
  const others = findings.filter(({ threadId }) => threadId === null)
  const identify = (...what: unknown[]) => sha256(JSON.stringify([secret, ...what])).slice(0, 24)
  const words = others.filter(finding => !isOfMachine(finding))
  const machines = Object.entries(Object.groupBy(others.filter(isOfMachine), getCommit))
  const answer = (id: string, these: Finding[]): Answer => {
    const text = [...listTitles(these), '', renderEnd(these, end, 'it')].join('\n')
    return { id, threadId: null, text }
  }
  return [
    ...threads.map(finding => ({
      id: identify(finding.key, finding.settles),
      threadId: finding.threadId,
      text: renderEnd([finding], end, 'this'),
    })),
    ...words.map(finding => answer(identify(finding.key, finding.settles), [finding])),
    ...machines.map(([commit, these = []]) => answer(identify(commit), these)),
  ]
}

// --- internal ---

const MAX_LINE_CHARS = 300
const MAX_CLAUSES = 20

const isOfMachine = ({ kind }: Finding) => kind === 'check' || kind === 'conflict'

/** The commit that a machine has complained about is the second part of the key. */
function getCommit({ key }: Finding): string {
  return key.split('/')[1] ?? ''
}

function listTitles(findings: Finding[]): string[] {
  return findings.map(({ title, url }) => {
    const name = escapeMarkdown(title, MAX_LINE_CHARS)
    return `- ${/^https?:\/\/[^\s)]+$/.test(url) ? `[${name}](${url})` : name}`
  })
}

function renderEnd(findings: Finding[], { commit, reason, matrix }: AttemptEnd, what: 'this' | 'it'): string {
  if (commit === null)
    return `**dispatch** has tried to settle ${what} and has no PASS: ${escapeMarkdown(reason, MAX_LINE_CHARS)} A person is needed.`
  const clauses = matrix?.clauses ?? []
  const passed = clauses.filter(({ verdict }) => verdict === 'PASS').length
  const verdict = matrix === undefined ? '' : `: ${passed} of ${clauses.length} clauses`
  const line = `**dispatch** has worked on ${what} in ${commit}. The verdict is PASS${verdict}.`
  return [line, ...describeClauses(findings, matrix)].join('\n')
}

/** Which clauses are about the words, so that a reader knows what the verdict says of them. */
function describeClauses(findings: Finding[], matrix: Matrix | undefined): string[] {
  const texts = findings.flatMap(({ words }) => words.map(({ text }) => normalize(text)))
  if (texts.length === 0 || matrix === undefined) return []
  const own = matrix.sentences.filter(({ text }) => texts.some(each => each.includes(normalize(text))))
  const ids = new Set(own.flatMap(({ clauseIds }) => clauseIds))
  const about = matrix.clauses.filter(({ id }) => ids.has(id))
  const left = own.filter(({ exclusionReason }) => exclusionReason !== undefined)
  const lines = [
    ...about.map(
      ({ id, sentence, verdict }) =>
        `- **${escapeMarkdown(id, 20)}** ${escapeMarkdown(sentence, MAX_LINE_CHARS)} (${verdict})`,
    ),
    ...left.map(
      ({ text, exclusionReason = '' }) =>
        `- left out: ${escapeMarkdown(text, MAX_LINE_CHARS)} Why: ${escapeMarkdown(exclusionReason, MAX_LINE_CHARS)}`,
    ),
  ]
  if (lines.length === 0)
    return ['', 'No clause of its contract is about these words, so the verdict does not show that they are settled.']
  return ['', 'Its contract says of these words:', '', ...lines.slice(0, MAX_CLAUSES)]
}

function normalize(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
