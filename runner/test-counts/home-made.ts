import { nothingRan, readCounts, type TestSummary } from './summary.ts'

const word = '(?:pass(?:ed|ing)?|fail(?:ed|ing|ures?)?|skip(?:ped|s)?|errors?|ok|pending|ignored|total)'
const numberFirst = `\\d+ (?:tests? |checks? )?${word}(?:(?:, | and |; | \\| | / | )\\d+ (?:tests? |checks? )?${word})*`
const wordFirst = `${word}[:=] *\\d+(?:[,;|/]? *${word}[:=] *\\d+)*`
const linePattern = new RegExp(
  `^[\\s*#=-]*(?:(\\w[\\w ./-]{0,40}): *)?(?:(${numberFirst})|(${wordFirst}))(?: in [\\d.]+ ?m?s)?[\\s.!*=-]*$`,
  'i',
)
const nothingPattern =
  /^\W*no tests? (?:found|ran|run|executed|to run|files?(?: found)?|were (?:found|run|executed))\W*$/i
const totalPattern = /^(?:total|summary|results?|tests?|all|overall)$/i

/**
 * The totals that a script of the project itself prints, such as `0 passed` or `parser: 3 passed, 1 skipped`: whole lines of counts.
 * To be asked only for a command that looks like a test run, in which no runner was recognized. A line for each part adds up;
 * of two lines for one part the lower counts. Pure.
 */
export function readHomeMadeSummaries(lines: string[]): TestSummary[] {
  const parts = new Map<string, TestSummary>()
  for (const [index, line] of lines.entries()) {
    const [isLine, name = '', numbers, words] = linePattern.exec(line) ?? []
    if (isLine === undefined && !nothingPattern.test(line)) continue
    const list = (numbers ?? words ?? '').replace(/ (?:tests?|checks?)(?= [a-z])/gi, '')
    const counts =
      isLine === undefined ? nothingRan : readCounts(list, words === undefined ? 'number first' : 'word first')
    const known = parts.get(name)
    if (known === undefined || counts.ran < known.ran) parts.set(name, { runner: 'script', line: index, ...counts })
  }
  const totals = [...parts].filter(([name]) => totalPattern.test(name))
  return (totals.length > 0 ? totals : [...parts]).map(([, summary]) => summary)
}
