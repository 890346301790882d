import { hasNeighbour, nothingRan, readCounts, type SummaryReader, type TestSummary } from './summary.ts'

/** A runner whose whole summary is one line. */
interface OneLineFormat {
  runner: string
  /** What every such line contains. */
  word: string
  /** The whole line. The first group has the counts. Without a group, the line says that nothing ran. */
  line: RegExp
  order?: 'word first'
  /** Words of this runner alone for tests that ran and did not fail. */
  passed?: RegExp
  /** What in the counts says more of tests that are counted already. */
  ignored?: RegExp
  /** A line that the runner always prints just before or after it. */
  neighbour?: RegExp
}

const formats: OneLineFormat[] = [
  // Python. A summary without bars follows a line of progress.
  {
    runner: 'pytest',
    word: ' in ',
    line: /^(?!.* collected )(?:=+ )?((?:\d+ [a-z]+(?: [a-z]+)?(?:, )?)+) in [\d.]+ ?s(?:econds)?(?: \(\d+:\d\d:\d\d\))?(?: =+)?$/,
    neighbour: /^=+ |\[ *\d+%\]$/,
  },
  {
    runner: 'pytest',
    word: 'no tests ',
    line: /^(?:=+ )?no tests (?:ran|collected)(?: \(\d+ deselected\))? in [\d.]+ ?s(?:econds)?(?: =+)?$/,
  },
  {
    runner: 'pytest',
    word: ' collected ',
    line: /^(?:=+ )?(?:\d+\/)?\d+ tests? collected(?: \(\d+ deselected\))? in [\d.]+ ?s(?: =+)?$/,
  },
  { runner: 'unittest', word: 'NO TESTS RAN', line: /^NO TESTS RAN$/ },
  { runner: 'nox', word: 'nox > ', line: /^nox > Session \S+ (?:was )?skipped\b/ },
  // JavaScript
  { runner: 'jest', word: ' total', line: /^Tests: +((?:\d+ \w+, )*\d+ total)$/, neighbour: /^Test Suites: / },
  { runner: 'jest', word: 'No tests found related', line: /^No tests found related to files changed since .*\.$/ },
  { runner: 'jest', word: 'No tests found, exiting', line: /^No tests found, exiting with code [01]$/ },
  {
    runner: 'vitest',
    word: ' Tests  ',
    line: /^ *Tests {2}((?:\d+ [a-z ]+ \| )*\d+ [a-z ]+) \(\d+\)$/,
    passed: /expected fail/g,
    neighbour: /^ *Test Files /,
  },
  { runner: 'vitest', word: ' Tests  no tests', line: /^ *Tests {2}no tests$/ },
  { runner: 'vitest', word: 'No test files found', line: /^No test files found, exiting with code [01]$/ },
  { runner: 'mocha', word: 'No test files found', line: /^(?:Error|Warning): No test files found/ },
  { runner: 'ava', word: 'No tests found in ', line: /^ +[✖✘×] No tests found in / },
  { runner: 'ava', word: ' find any ', line: /^ +[✖✘×] Couldn.t find any (?:files to test|matching tests)/ },
  { runner: 'playwright', word: 'Error: No tests found', line: /^Error: No tests found\.?$/ },
  { runner: 'bun', word: 'No tests found!', line: /^No tests found!$/ },
  {
    runner: 'deno',
    word: ' passed ',
    line: /^(?:ok|FAILED) \| (\d+ passed .*\d+ failed.*) \((?:\d+m)?\d+m?s\)$/,
    neighbour: /^running \d+ tests? from /,
  },
  { runner: 'deno', word: 'No test modules found', line: /^error: No test modules found$/ },
  {
    runner: 'jasmine',
    word: ' spec',
    line: /^(\d+ specs?, \d+ failures?(?:, \d+ pending specs?)?)$/,
    neighbour: /^Finished in /,
  },
  { runner: 'jasmine', word: 'No specs found', line: /^(?:Incomplete: )?No specs found$/ },
  // Cucumber in JavaScript, Ruby and Java: `3 scenarios (1 skipped, 2 passed)`
  { runner: 'cucumber', word: ' scenario', line: /^\d+ scenarios? \((.*)\)$/, neighbour: /^\d+ steps?/ },
  { runner: 'cucumber', word: '0 scenarios', line: /^0 scenarios$/ },
  { runner: 'bun', word: 'Ran 0 tests across', line: /^Ran 0 tests across \d+ files?\./ },
  // Rust
  {
    runner: 'nextest',
    word: 'Summary [',
    line: /^ *Summary \[ *[\d.]+s\] +(?:\d+\/)?\d+ tests? run: (.*)$/,
    ignored: /\([^()]*\)/g,
  },
  { runner: 'nextest', word: ': no tests', line: /^(?:error|warning): no tests (?:to run|were run)$/ },
  // Ruby
  {
    runner: 'rspec',
    word: ' example',
    line: /^(\d+ examples?, \d+ failures?(?:, \d+ errors?)?(?:, \d+ pending)?(?:, \d+ errors? occurred outside of examples)?)$/,
    neighbour: /^Finished in /,
  },
  {
    runner: 'minitest',
    word: ' skips',
    line: /^(\d+ (?:runs|tests), \d+ assertions, .*\d+ skips)$/,
    neighbour: /^Finished in /,
  },
  {
    runner: 'test-unit',
    word: ' omissions',
    line: /^(\d+ tests, \d+ assertions, .*\d+ omissions).*$/,
    neighbour: /^Finished in /,
  },
  // Java
  { runner: 'junit', word: 'OK (', line: /^OK \((\d+ tests?)\)$/, neighbour: /^Time: / },
  {
    runner: 'testng',
    word: 'Total tests run: ',
    line: /^(Total tests run: \d+, .*Skips: \d+)$/,
    order: 'word first',
    neighbour: /^={20,}$/,
  },
  { runner: 'sbt', word: ': Total ', line: /^\[info\] (?:Passed|Failed): (Total \d+, .*)$/, order: 'word first' },
  { runner: 'sbt', word: 'No tests were executed', line: /^\[info\] No tests were executed\.$/ },
  {
    runner: 'scalatest',
    word: 'Tests: succeeded ',
    line: /^Tests: (succeeded \d+, failed \d+, .*)$/,
    order: 'word first',
  },
  { runner: 'gradle', word: ': Executed ', line: /^(?:SUCCESS|FAILURE): Executed (\d+ tests? in .*)$/ },
  // PHP
  { runner: 'phpunit', word: 'OK (', line: /^OK \((\d+ tests?), \d+ assertions?\)$/, neighbour: /^Time: / },
  {
    runner: 'phpunit',
    word: ', Assertions: ',
    line: /^(Tests: \d+, Assertions: \d+.*)\.$/,
    order: 'word first',
    neighbour: /^Time: /,
  },
  { runner: 'phpunit', word: 'No tests executed!', line: /^No tests executed!$/ },
  {
    runner: 'pest',
    word: ' Tests: ',
    line: /^ +Tests: +((?:\d+ [a-z]+(?:, )?)+)(?: \(\d+ assertions?\))?$/,
    passed: /deprecated|warnings?|notices?|risky/g,
    neighbour: /^ +Duration: /,
  },
  { runner: 'pest', word: 'No tests found.', line: /^ +INFO {2}No tests found\.$/ },
  // .NET
  {
    runner: 'dotnet',
    word: 'd! ',
    line: /^ *(?:Passed|Failed|Skipped)! +- (Failed: +\d+, Passed: +\d+, Skipped: +\d+, Total: +\d+), Duration: /,
    order: 'word first',
  },
  {
    runner: 'dotnet',
    word: 'Test summary: ',
    line: /^ *Test summary: (total: \d+, failed: \d+, succeeded: \d+, skipped: \d+)/,
    order: 'word first',
  },
  { runner: 'dotnet', word: 'No test is available', line: /^ *No test is available in / },
  { runner: 'dotnet', word: 'No test matches', line: /^ *No test matches the given testcase filter / },
  // C++, and Lua
  { runner: 'catch2', word: 'test cases: ', line: /^(?:\[doctest\] )?test cases: +\d+ \| (.*)$/ },
  { runner: 'catch2', word: 'No tests ran', line: /^No tests ran$/ },
  { runner: 'busted', word: ' successes / ', line: /^(\d+ successes? \/ .*\d+ pending) : [\d.]+ seconds$/ },
  { runner: 'go', word: 'no packages to test', line: /^no packages to test$/ },
  // Elixir, with doctests and properties before the tests, and bats in its pretty form
  { runner: 'mix', word: ' failure', line: /^((?:\d+ (?:doctests?|propert(?:y|ies)), )*\d+ tests?, \d+ failures?.*)$/ },
  { runner: 'mix', word: 'There are no tests', line: /^There are no tests to run$/ },
  { runner: 'ctest', word: 'No tests were found!!!', line: /^No tests were found!!!$/ },
  { runner: 'eunit', word: 'There were no tests', line: /^There were no tests to run\.$/ },
]

/** Every line of one of these forms, as a summary. */
export const readOneLineSummaries: SummaryReader = (lines, text) =>
  formats.filter(({ word }) => text.includes(word)).flatMap(format => readFormat(lines, format))

function readFormat(lines: string[], format: OneLineFormat): TestSummary[] {
  const { runner, word, line: form, order, passed, ignored, neighbour } = format
  return lines.flatMap((line, index) => {
    const found = line.includes(word) ? form.exec(line) : null
    if (!found) return []
    const [, counts] = found
    const known = ignored ? counts?.replace(ignored, '') : counts
    const list = passed ? known?.replace(passed, 'passed') : known
    if (list === undefined) return [{ runner, line: index, isLone: true, ...nothingRan }]
    const isWhole = neighbour === undefined || line.startsWith('==') || hasNeighbour(lines, index, neighbour)
    return [{ runner, line: index, isLone: !isWhole, ...readCounts(list, order) }]
  })
}
