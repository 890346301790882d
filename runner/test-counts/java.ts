import {
  hasNeighbour,
  nothingRan,
  readCounts,
  type SummaryReader,
  type TestSummary,
  whereContained,
} from './summary.ts'

/** Maven's surefire and failsafe, Ant, Gradle's tasks, and JUnit's console. */
export const javaReaders: SummaryReader[] = [
  whereContained('ests ', readSurefire),
  whereContained('est', lines => lines.flatMap(readGradleTask)),
  whereContained(' tests found ', readJunitConsole),
]

// --- internal ---

const surefirePattern =
  /^ *(?:\[\w+\] )?(Tests run: +\d+, Failures: +\d+, Errors: +\d+(?:, Skipped: +\d+)?)(, Time elapsed: .*)?$/

/** A module has a line for each class, then their total. Only a total below "Results:" replaces its classes. */
function readSurefire(lines: string[]): TestSummary[] {
  const summaries: TestSummary[] = []
  let classes: TestSummary[] = []
  for (const [index, line] of lines.entries()) {
    const [, list, timeElapsed] = surefirePattern.exec(line) ?? []
    if (/^(?:\[INFO\] )?(?:No tests to run|Tests are skipped|There are no tests to run)\.?$/.test(line))
      summaries.push({ runner: 'surefire', line: index, isLone: true, ...nothingRan })
    if (list === undefined) continue
    const isTotal = timeElapsed === undefined && hasNeighbour(lines, index, /Results ?:$/, 4, 0)
    const isLone = timeElapsed === undefined && !isTotal
    const summary = { runner: 'surefire', line: index, isLone, ...readCounts(list, 'word first') }
    if (timeElapsed !== undefined) classes.push(summary)
    else summaries.push(summary)
    if (isTotal) classes = []
  }
  return [...summaries, ...classes]
}

/** `> Task :app:test NO-SOURCE`. Gradle prints no counts, and says of a test task only what it did with it. */
function readGradleTask(line: string, index: number): TestSummary[] {
  const [, task = '', state] = /^(?:> Task )?(?::[\w.-]+)*:(\w+)(?: ([A-Z][A-Z-]+))?$/.exec(line) ?? []
  if (!/^(?:test|allTests|(?!compile|process|generate|package|merge)[a-z]\w*Test)$/.test(task)) return []
  const summary = { runner: 'gradle', line: index, ...nothingRan }
  if (state === 'NO-SOURCE' || state === 'SKIPPED') return [summary]
  return [{ ...summary, label: state === 'UP-TO-DATE' || state === 'FROM-CACHE' ? 'cached' : 'unknown' }]
}

const junitPattern = /^\[ +(\d+ tests (?:found|skipped|started|aborted|successful|failed)) +\]$/

function readJunitConsole(lines: string[]): TestSummary[] {
  return lines.flatMap((line, index) => {
    const [, found] = junitPattern.exec(line) ?? []
    if (!found?.endsWith('found')) return []
    const block = lines.slice(index + 1, index + 8).flatMap(other => junitPattern.exec(other)?.[1] ?? [])
    // `3 tests skipped`, as `3 skipped`
    return [{ runner: 'junit', line: index, ...readCounts(block.join(', ').replaceAll(' tests', '')) }]
  })
}
