import { nothingRan, readCounts, type TestSummary } from './summary.ts'

const words = {
  pass: 'pass(?:ed|ing)?|ok',
  skip: 'skip(?:ped|s)?|pending|ignored',
  fail: 'fail(?:ed|ing|ures?)?|errors?',
  total: 'total',
}
const word = `(?:${Object.values(words).join('|')})`
const numberFirst = `\\d+ (?:tests? |checks? )?${word}(?:(?:, | and |; | \\| | / | )\\d+ (?:tests? |checks? )?${word})*`
const wordFirst = `${word}[:=] *\\d+(?:[,;|/]? *${word}[:=] *\\d+)*`
const linePattern = new RegExp(
  `^[\\s*#=-]*(?:(\\w[\\w ./-]{0,40}): *)?(${numberFirst}|${wordFirst})(?: in [\\d.]+ ?m?s)?[\\s.!*=-]*$`,
  'i',
)
const nothingPattern =
  /^\W*(?:ran 0 tests|0 tests(?: (?:run|ran|executed|found))?)\W*$|^\W*no tests? (?:found|ran|run|executed|to run|files?(?: found)?|were (?:found|run|executed))\W*$/i
const totalPattern = /^(?:total|summary|results?|tests?|all|overall)$/i

/** Lines that follow each other and together say what came of one part of the tests. */
interface Total {
  name: string
  list: string
  lastLine: number
}

/**
 * The totals that a script of the project itself prints, such as `parser: 3 passed, 1 skipped` or, line by line, `Passed: 3`: whole
 * lines of counts. To be asked only for a command that looks like a test run, in which no runner was recognized. The parts add up;
 * of two totals of one part the lower counts. Pure.
 */
export function readHomeMadeSummaries(lines: string[]): TestSummary[] {
  const parts = new Map<string, TestSummary>()
  for (const { name, list, lastLine } of listTotals(lines)) {
    const counts = list === '' ? nothingRan : readCounts(list, /^\D*[:=]/.test(list) ? 'word first' : 'number first')
    const known = parts.get(name)
    if (known === undefined || counts.ran < known.ran) parts.set(name, { runner: 'script', line: lastLine, ...counts })
  }
  const totals = [...parts].filter(([name]) => totalPattern.test(name))
  return (totals.length > 0 ? totals : [...parts]).map(([, summary]) => summary)
}

// --- internal ---

/** The totals that say how many tests passed, or without one those that say how many were skipped. */
function listTotals(lines: string[]): Total[] {
  const totals: Total[] = []
  for (const [index, line] of lines.entries()) {
    const [, name = '', list = ''] = linePattern.exec(line) ?? []
    if (list === '' && !nothingPattern.test(line)) continue
    const plain = list.replace(/ (?:tests?|checks?)(?= [a-z])/gi, '')
    const last = totals.at(-1)
    const continues = last && last.name === name && index - last.lastLine <= 2 && list !== '' && last.list !== ''
    if (continues && !sharesWord(last.list, plain)) {
      last.list += `, ${plain}`
      last.lastLine = index
    } else totals.push({ name, list: plain, lastLine: index })
  }
  const passing = totals.filter(({ list }) => list === '' || contains(list, words.pass))
  return passing.length > 0 ? passing : totals.filter(({ list }) => contains(list, words.skip))
}

function contains(list: string, pattern: string): boolean {
  return new RegExp(`\\b(?:${pattern})\\b`, 'i').test(list)
}

/** Do both lists count the same? Then they are two totals. */
function sharesWord(list: string, other: string): boolean {
  return Object.values(words).some(pattern => contains(list, pattern) && contains(other, pattern))
}
