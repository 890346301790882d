import { parseJson } from '#host/json.ts'
import { nothingRan, readCounts, type SummaryReader, type TestSummary } from './summary.ts'

/** The end of a package: `ok  pkg 0.01s [no tests to run]`, `FAIL pkg 0.01s`, `?  pkg [no test files]`. */
const packagePattern = /^(?:ok|FAIL|\?)\s+\S+\s+(?:[\d.]+s|\(cached\)|\[[\w ]+\])(?:\s.*)?$/
/** A package without tests, when coverage is measured. */
const uncoveredPattern = /^\s+\S+\s+coverage: 0\.0% of statements$/
/** Something of what go prints. */
const goPattern = /^(?:ok|FAIL|\?)\s|^ *--- [A-Z]{4}: |"Action":"|^DONE \d|coverage: 0/m
const emptyPattern = /\[no tests? (?:files|to run)\]/
/** `    --- SKIP: TestA/part (0.00s)` */
const resultPattern = /^ *--- (PASS|FAIL|SKIP): (\S+) \(/
/** The same behind what a test printed without a line end. */
const lateResultPattern = /--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)$/
/** `=== RUN   TestA`, perhaps behind such a print too. */
const startPattern = /=== RUN +(\S+)$/

/** `go test`, plain, with -v and with -json, and gotestsum. Each package is a summary. Without -v it names only tests that failed. */
export const readGoSummaries: SummaryReader = (lines, text) => {
  if (!goPattern.test(text)) return []

  const totals = readGotestsum(lines)
  return totals.length > 0 ? totals : [...readText(lines), ...readJsonLines(lines)]
}

// --- internal ---

/**
 * `DONE 9 tests, 5 skipped in 0.2s` counts each test with subtests as one more. Those of which a subtest was skipped are known:
 * gotestsum lists every skipped test.
 */
function readGotestsum(lines: string[]): TestSummary[] {
  const parents = new Set<string>()
  return lines.flatMap((line, index) => {
    const [, skipped] = /^=== SKIP: (\S+ \S+)\/\S+ \(/.exec(line) ?? []
    if (skipped !== undefined) parents.add(skipped)
    const [, list] = /^DONE (?:\d+ runs, )?(\d+ tests?(?:, \d+ [a-z]+)*) in [\d.]+m?s?$/.exec(line) ?? []
    if (list === undefined) return []
    const counts = readCounts(list)
    return [{ runner: 'go', line: index, ...counts, ran: Math.max(0, counts.ran - parents.size) }]
  })
}

function readText(lines: string[]): TestSummary[] {
  const summaries: TestSummary[] = []
  let results = new Map<string, string>()
  let isEmpty = false
  let isVerbose = false
  const started = new Set<string>()
  const add = (line: number, ending: Partial<TestSummary>) => {
    const isKnown = results.size > 0 && (isVerbose || [...results.values()].some(action => action !== 'FAIL'))
    const counts = isKnown ? countLeaves(results) : { ...nothingRan, ...ending }
    summaries.push({ runner: 'go', line, ...counts })
    results = new Map()
    isEmpty = isVerbose = false
  }
  for (const [index, line] of lines.entries()) {
    const [, action, name] = resultPattern.exec(line) ?? findLateResult(line, started) ?? []
    const [, startedName] = startPattern.exec(line) ?? []
    if (startedName !== undefined) started.add(startedName)
    if (action !== undefined && name !== undefined) results.set(name, action)
    else if (line.startsWith('=== RUN ')) isVerbose = true
    else if (uncoveredPattern.test(line)) add(index, {})
    else if (line === 'testing: warning: no tests to run') isEmpty = true
    else if (packagePattern.test(line)) {
      const label = line.includes('(cached)') ? 'cached' : 'unknown'
      add(index, isEmpty || emptyPattern.test(line) ? {} : { label })
    }
  }
  // A test binary that was started by itself names no package.
  if (results.size > 0) add(lines.length - 1, { label: 'unknown' })
  return summaries
}

/** Only of a test that has started: a program can print such a line of its own. */
function findLateResult(line: string, started: Set<string>): string[] | undefined {
  const found = line.includes('--- ') ? lateResultPattern.exec(line) : null
  return found && started.has(found[2] ?? '') ? found : undefined
}

/** The events of `go test -json`, one a line. */
function readJsonLines(lines: string[]): TestSummary[] {
  const packages = new Map<string, Map<string, string>>()
  const summaries: TestSummary[] = []
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('{') || !line.includes('"Action":"')) continue
    const event = parseJson(line) as { Action?: unknown; Package?: unknown; Test?: unknown } | undefined
    const action = String(event?.Action).toUpperCase()
    if (!['PASS', 'FAIL', 'SKIP'].includes(action)) continue
    const results = packages.get(String(event?.Package)) ?? new Map<string, string>()
    packages.set(String(event?.Package), results)
    if (typeof event?.Test === 'string') results.set(event.Test, action)
    else summaries.push({ runner: 'go', line: index, ...countLeaves(results) })
  }
  return summaries
}

/** A test with subtests passes when all of them were skipped, so only tests without subtests count. */
function countLeaves(results: Map<string, string>) {
  const parents = new Set<string>()
  for (const name of results.keys())
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) parents.add(name.slice(0, end))
  const actions = [...results].filter(([name]) => !parents.has(name)).map(([, action]) => action)
  const count = (...wanted: string[]) => actions.filter(action => wanted.includes(action)).length
  return { ran: count('PASS', 'FAIL'), failed: count('FAIL'), skipped: count('SKIP') }
}
