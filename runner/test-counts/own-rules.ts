import {
  createWordReader,
  hasNeighbour,
  nothingRan,
  parseCount,
  readCounts,
  type SummaryReader,
  type TestSummary,
} from './summary.ts'

/** Runners whose summary needs a rule of its own. */
export const ownRuleReaders: SummaryReader[] = [
  createWordReader('Ran ', readUnittest),
  createWordReader('test result: ', readCargo),
  createWordReader(' using ', readPlaywright),
  createWordReader('% tests passed', readCtest),
  createWordReader('Test run with ', readSwiftTesting),
  createWordReader('Executed ', readKarma),
  createWordReader('Executed ', readXctest),
]

// --- internal ---

/** `Ran 3 tests in 0.001s`, then `OK (skipped=3)`, `FAILED (failures=1)` or `NO TESTS RAN`. nose2, Django and trial too. */
function readUnittest(lines: string[]): TestSummary[] {
  return lines.flatMap((line, index) => {
    const [, total] = /^Ran (\d+) tests? in [\d.]+s$/.exec(line) ?? []
    if (total === undefined) return []
    const end = lines
      .slice(index + 1, index + 4)
      .find(other => /^(?:OK|FAILED|PASSED|NO TESTS RAN)(?: \(.*\))?$/.test(other))
    const results = (end ?? '').replace(/(?:un)?expected \w+=\d+/g, '')
    const isLone = end === undefined || !hasNeighbour(lines, index, /^-{20,}$/, 2, 0)
    const counts = readCounts(`tests=${total}, ${results}`, 'word first')
    // A class that skips itself, and a skipped part of a test, is a skip and no test: then a test has passed all the same.
    const hasPassed = total !== '0' && counts.ran === 0 && lines.slice(0, index).some(hasPassedMark)
    return [{ runner: 'unittest', line: index, isLone, ...counts, ...(hasPassed && { label: 'unknown' as const }) }]
  })
}

/** `test_a (t.A.test_a) ... ok` with -v, and without it a line such as `s.` above the rule. */
function hasPassedMark(line: string, index: number, lines: string[]): boolean {
  return (
    / \.\.\. ok$/.test(line) || (/^[.sx]+$/.test(line) && line.includes('.') && /^-{20,}$/.test(lines[index + 1] ?? ''))
  )
}

/** `test result: ok. 1 passed; 0 failed; 2 ignored; …`, for each binary, after `running 3 tests`. */
function readCargo(lines: string[]): TestSummary[] {
  let isRunning = false
  return lines.flatMap((line, index) => {
    if (/^running \d+ (?:tests?|benchmarks?)$/.test(line)) isRunning = true
    const [, list] = /^test result: (?:ok|FAILED)\. (.*)$/.exec(line) ?? []
    if (list === undefined) return []
    const summary = { runner: 'cargo', line: index, isLone: !isRunning, ...readCounts(list) }
    isRunning = false
    return [summary]
  })
}

/** `Running 3 tests using 1 worker`, and at the end `  2 skipped` and `  1 passed (2.3s)`, with failures between them. */
function readPlaywright(lines: string[]): TestSummary[] {
  const summaries: TestSummary[] = []
  let isRunning = false
  let items: string[] = []
  for (const [index, line] of [...lines, ''].entries()) {
    const isStart = /^Running \d+ tests? using \d+ workers?/.test(line)
    const [, item] = /^ {2}(\d+ (?:passed|failed|flaky|skipped|interrupted|did not run))(?: \(.*\))?$/.exec(line) ?? []
    if (isRunning && item !== undefined) items.push(item)
    if ((isStart || index === lines.length) && items.length > 0) {
      summaries.push({ runner: 'playwright', line: index - 1, ...readCounts(items.join(', ')) })
      items = []
    }
    if (isStart) isRunning = true
  }
  return summaries
}

/** `100% tests passed, 0 tests failed out of 3`, which counts skipped tests as passed; they are listed below it. */
function readCtest(lines: string[]): TestSummary[] {
  const summaries: TestSummary[] = []
  for (const [index, line] of lines.entries()) {
    const [, failed = '0', total] = /^\d+% tests passed(?:, (\d+) tests failed)? out of (\d+)$/.exec(line) ?? []
    const last = summaries.at(-1)
    if (total !== undefined)
      summaries.push({ runner: 'ctest', line: index, ran: parseCount(total), failed: parseCount(failed), skipped: 0 })
    else if (last && last.ran > 0 && /^\s+\d+ - .* \((?:Skipped|Not Run)\)$/.test(line)) {
      last.ran--
      last.skipped++
    }
  }
  return summaries
}

/**
 * `Executed 3 tests, with 1 test skipped and 0 failures …`, below the name of its suite. Suites contain suites: the one of all
 * tests counts, or without its name the last one.
 */
function readXctest(lines: string[]): TestSummary[] {
  const suites = lines.flatMap((line, index) => {
    const [, total, skipped = '0', failed = '0'] =
      /^\s*Executed (\d+) tests?, with (?:(\d+) tests? skipped and )?(\d+) failures?\b/.exec(line) ?? []
    if (total === undefined) return []
    const ran = Math.max(0, parseCount(total) - parseCount(skipped))
    return [{ runner: 'xctest', line: index, ran, failed: parseCount(failed), skipped: parseCount(skipped) }]
  })
  const whole = suites.filter(({ line }) => /^Test Suite '(?:All|Selected) tests' /.test(lines[line - 1] ?? ''))
  return whole.length > 0 ? whole : suites.slice(-1)
}

/** `✔ Test run with 3 tests in 1 suite passed after 0.001 seconds.`, which counts skipped tests too. */
function readSwiftTesting(lines: string[]): TestSummary[] {
  let skipped = 0
  return lines.flatMap((line, index) => {
    if (/^\S+ +Test .*\bskipped(?:: .*|\.)?$/.test(line)) skipped++
    const [, total] = /^\S+ +Test run with (\d+) tests?(?: in \d+ suites?)? (?:passed|failed) after /.exec(line) ?? []
    if (total === undefined) return []
    return [{ runner: 'swift-testing', line: index, ran: Math.max(0, parseCount(total) - skipped), failed: 0, skipped }]
  })
}

/** `Chrome (Linux): Executed 2 of 3 (skipped 1) SUCCESS`, again and again. The last line of each browser counts. */
function readKarma(lines: string[]): TestSummary[] {
  const browsers = new Map<string, TestSummary>()
  for (const [index, line] of lines.entries()) {
    const [, browser, executed] = /^(?:(.+): )?Executed (\d+) of \d+\b/.exec(line) ?? []
    if (executed === undefined) continue
    const skipped = parseCount(/\(skipped (\d+)\)/.exec(line)?.[1])
    const failed = parseCount(/\((\d+) FAILED\)/.exec(line)?.[1])
    browsers.set(browser ?? '', {
      runner: 'karma',
      line: index,
      ...nothingRan,
      ran: parseCount(executed),
      failed,
      skipped,
    })
  }
  return [...browsers.values()]
}
