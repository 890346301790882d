import { hasNeighbour, readCounts, type SummaryReader, type TestSummary } from './summary.ts'

/** A runner whose summary is a block of lines. */
interface BlockFormat {
  runner: string
  /** What its first line contains. */
  word: string
  /** Its first line, whose groups may have counts too. */
  first: RegExp
  /** Each other line; the groups have the counts. */
  item: RegExp
  /** How many lines the block may have after the first. */
  lines: number
  order?: 'word first'
  /** A line that the runner always prints just before or after it. */
  neighbour?: RegExp
}

const formats: BlockFormat[] = [
  // `  2 passing (5ms)`, `  1 pending`; Cypress prints the same for each file.
  {
    runner: 'mocha',
    word: ' passing',
    first: /^ {2}(\d+ passing)(?: \(.*\))?$/,
    item: /^ {2}(\d+ (?:pending|failing))$/,
    lines: 3,
    neighbour: /^\s+(?:[✔✓√․·.,!]|\d+\) |- )/,
  },
  // `  1 test passed`, `  3 tests skipped`
  {
    runner: 'ava',
    word: '  ─',
    first: /^ {2}─$/,
    item: /^ {2}(\d+) (?:tests? (passed|failed|skipped|todo)|(known) failures?)$/,
    lines: 6,
  },
  // ` 0 pass`, ` 3 skip`, ` 0 fail`, `Ran 3 tests across 1 file.`
  {
    runner: 'bun',
    word: ' pass',
    first: /^ (\d+ pass)$/,
    item: /^ (\d+ (?:skip|todo|fail))$/,
    lines: 4,
    neighbour: /^Ran \d+ tests? across \d+ files?\./,
  },
  // pytest with the plugin pytest-sugar
  { runner: 'pytest', word: 'Results (', first: /^Results \([\d.]+s.*\):$/, item: /^ +(\d+ [a-z]+)$/, lines: 8 },
  {
    runner: 'dotnet',
    word: 'Total tests: ',
    first: /^Total (tests: \d+)$/,
    item: /^ +((?:Passed|Failed|Skipped): \d+)$/,
    lines: 3,
    order: 'word first',
  },
  {
    runner: 'dotnet',
    word: 'Test run summary: ',
    first: /^Test run summary: /,
    item: /^ +((?:total|failed|succeeded|skipped): \d+)$/,
    lines: 8,
    order: 'word first',
  },
  {
    runner: 'gtest',
    word: '[===',
    first: /^\[=+\] \d+ tests? from \d+ test \w+ ran\./,
    item: /^\[ +(PASSED|SKIPPED|FAILED) +\] (\d+) tests?/,
    lines: 3,
    order: 'word first',
  },
  {
    runner: 'automake',
    word: '# TOTAL: ',
    first: /^# (TOTAL: +\d+)$/,
    item: /^# ((?:PASS|SKIP|XFAIL|FAIL|XPASS|ERROR): +\d+)$/,
    lines: 6,
    order: 'word first',
  },
  {
    runner: 'meson',
    word: 'Ok: ',
    first: /^(Ok: +\d+)$/,
    item: /^((?:Expected Fail|Fail|Unexpected Pass|Skipped): +\d+)$/,
    lines: 6,
    order: 'word first',
  },
]

/** Every block of one of these forms. */
export const readBlockSummaries: SummaryReader = (lines, text) =>
  formats
    .filter(({ word }) => text.includes(word))
    .flatMap(format => lines.flatMap((line, index) => readBlock(lines, line, index, format)))

// --- internal ---

function readBlock(lines: string[], line: string, index: number, format: BlockFormat): TestSummary[] {
  const { runner, first, item, order, neighbour } = format
  const begin = line.includes(format.word) ? first.exec(line) : null
  if (!begin) return []
  const items = lines.slice(index + 1, index + 1 + format.lines).map(other => item.exec(other))
  const list = [begin, ...items].map(found => found?.slice(1).filter(Boolean).join(' ') ?? '').filter(Boolean)
  if (list.length === 0) return []
  const isLone = neighbour !== undefined && !hasNeighbour(lines, index, neighbour)
  return [{ runner, line: index, isLone, ...readCounts(list.join(', '), order) }]
}
