/** What a test runner says about one run of tests. */
export interface TestSummary {
  /** The format that was recognized, such as `pytest`. */
  runner: string
  /** The index of its line. */
  line: number
  ran: number
  failed: number
  skipped: number
  /** Tests ran, or their cached result was printed, without counts. */
  label?: 'unknown' | 'cached'
  /** The lines that the runner prints around a summary are missing. Any program can print a single line. */
  isLone?: boolean
}

/**
 * Find the summaries of one or more runners in an output without colours: its lines, its text, and the command that printed it.
 * Pure, and linear in the output.
 */
export type SummaryReader = (lines: string[], text: string, command: string) => TestSummary[]

/** A reader that is asked only if the output has this word at all: most outputs are from one runner. */
export function createWordReader(word: string, read: (lines: string[]) => TestSummary[]): SummaryReader {
  return (lines, text) => (text.includes(word) ? read(lines) : [])
}

type Counts = Pick<TestSummary, 'ran' | 'failed' | 'skipped'>

export const nothingRan: Counts = { ran: 0, failed: 0, skipped: 0 }

/**
 * Read a list such as `2 failed, 1 skipped, 5 total` or, with the word first, `Tests run: 5, Skipped: 1`. Words that count
 * something else, such as assertions, are ignored. Where a list allows two readings, fewer tests ran. Pure.
 */
export function readCounts(list: string, order: 'number first' | 'word first' = 'number first'): Counts {
  const pairs =
    order === 'number first'
      ? [...list.matchAll(/(\d+) +([a-z]+)/gi)].map(([, number, word = '']) => [word, parseCount(number)] as const)
      : [...list.matchAll(/([a-z]+)(?:[:=] *| +)(\d+)/gi)].map(
          ([, word = '', number]) => [word, parseCount(number)] as const,
        )
  const sum = (role: RegExp) => pairs.reduce((total, [word, number]) => (role.test(word) ? total + number : total), 0)
  const [failed, skipped] = [sum(roles.failed), sum(roles.skipped)]
  const done = pairs.some(([word]) => roles.passed.test(word)) ? sum(roles.passed) + failed : Infinity
  const left = pairs.some(([word]) => roles.total.test(word))
    ? sum(roles.total) - skipped - sum(roles.excluded)
    : Infinity
  const ran = Math.max(0, Math.min(done, left))
  return ran === Infinity ? { ran: failed, failed, skipped } : { ran, failed: Math.min(failed, ran), skipped }
}

/** What the words of the runners mean. An expected failure is a test that ran. */
const roles = {
  passed: /^(?:pass(?:ed|es|ing)?|succe(?:eded|ss|sses|ssful)|ok|x(?:failed|passed)|flaky|known|measured)$/i,
  failed: /^(?:fail(?:ed|s|ing|ures?)?|errors?|errored|cancelled|crashed|interrupted)$/i,
  skipped: /^(?:skip(?:ped|s)?|ignored|pendings?|todo|omissions?|disabled|incomplete|canceled|aborted|did)$/i,
  excluded: /^(?:deselected|filtered|excluded|invalid)$/i,
  total: /^(?:total|tests?|doctests?|propert(?:y|ies)|examples?|runs?|specs?|scenarios?)$/i,
}

const MAX_COUNT = 1e9

/** Read a number that a program printed. A larger one than any suite has is cut, so that sums stay exact. Pure. */
export function parseCount(digits = '0'): number {
  return Math.min(Number(digits), MAX_COUNT)
}

/** Is there a line like this just around another one? Pure. */
export function hasNeighbour(lines: string[], index: number, pattern: RegExp, before = 12, after = 6): boolean {
  const end = Math.min(lines.length - 1, index + after)
  for (let at = Math.max(0, index - before); at <= end; at++)
    if (at !== index && pattern.test(lines[at] ?? '')) return true
  return false
}
