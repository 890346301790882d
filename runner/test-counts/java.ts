import { createWordReader, nothingRan, readCounts, type SummaryReader, type TestSummary } from './summary.ts'

/** Maven's surefire and failsafe, Ant, Gradle's tasks, and JUnit's console. */
export const javaReaders: SummaryReader[] = [
  createWordReader('ests ', readSurefire),
  createWordReader('est', readGradle),
  createWordReader(' tests found ', readJunitConsole),
]

// --- internal ---

const surefirePattern =
  /^ *(?:\[\w+\] )?(Tests run: +\d+, Failures: +\d+, Errors: +\d+(?:, Skipped: +\d+)?)(, Time elapsed: .*)?$/

/** A module has a line for each class, then their total. Only a total below "Results:" replaces its classes. */
function readSurefire(lines: string[]): TestSummary[] {
  const summaries: TestSummary[] = []
  let classes: TestSummary[] = []
  let isBelowResults = false
  for (const [index, line] of lines.entries()) {
    const [, list, timeElapsed] = surefirePattern.exec(line) ?? []
    if (/^(?:\[INFO\] )?(?:No tests to run|Tests are skipped|There are no tests to run)\.?$/.test(line))
      summaries.push({ runner: 'surefire', line: index, isLone: true, ...nothingRan })
    if (/^(?:\[INFO\] )?Results ?:$/.test(line)) isBelowResults = true // The failures stand between it and the total.
    if (list === undefined) continue
    const isTotal = timeElapsed === undefined && isBelowResults
    isBelowResults = false
    const isLone = timeElapsed === undefined && !isTotal
    const summary = { runner: 'surefire', line: index, isLone, ...readCounts(list, 'word first') }
    if (timeElapsed !== undefined) classes.push(summary)
    else summaries.push(summary)
    if (isTotal) classes = []
  }
  return [...summaries, ...classes]
}

interface GradleTask {
  project: string
  name: string
  line: number
  state: string
  passed: number
  failed: number
  skipped: number
}

/**
 * `> Task :app:test NO-SOURCE`. Gradle says of a test task what it did with it. Below it are the tests, if the build asks for that:
 * `FooTest > works() PASSED`. Without one that passed it prints perhaps only those that did not, so the count stays unknown.
 */
function readGradle(lines: string[]): TestSummary[] {
  const tasks = new Map<string, GradleTask>()
  let task: GradleTask | undefined
  for (const [line, text] of lines.entries()) {
    const [, project, name = '', state = ''] =
      /^(?:> Task )?((?::[\w.-]+)*):(\w+)(?: ([A-Z][A-Z-]+))?$/.exec(text) ?? []
    if (project !== undefined) {
      const path = `${project}:${name}`
      task = tasks.get(path) ?? { project, name, line, state, passed: 0, failed: 0, skipped: 0 }
      if (isTestTask(name)) tasks.set(path, task)
      continue
    }
    const [, result] = /^\S.* > .* (PASSED|FAILED|SKIPPED)$/.exec(text) ?? []
    if (task === undefined || result === undefined) continue
    if (result === 'PASSED') task.passed++
    else if (result === 'FAILED') task.failed++
    else task.skipped++
  }
  const all = [...tasks.values()]
  return all.filter(each => !isLifecycleTask(each, all)).map(summarizeTask)
}

function summarizeTask({ line, state, passed, failed, skipped }: GradleTask): TestSummary {
  const summary = { runner: 'gradle', line, ...nothingRan }
  if (state === 'NO-SOURCE' || state === 'SKIPPED') return summary
  if (state === 'UP-TO-DATE' || state === 'FROM-CACHE') return { ...summary, label: 'cached' }
  return passed > 0 ? { ...summary, ran: passed + failed, failed, skipped } : { ...summary, label: 'unknown' }
}

/** Does a task run tests? `javaPreCompileDebugUnitTest` and `lintAnalyzeDebugAndroidTest` only prepare them, `checkstyleTest` reads them. */
function isTestTask(name: string): boolean {
  if (/(?:Unit|Android)Test$/.test(name)) return /^(?:test\w*UnitTest|connected\w*AndroidTest)$/.test(name)
  if (/^(?:checkstyle|pmd|spotbugs|findbugs|codenarc|detekt|ktlint|lint|spotless|error[pP]rone|jacoco)/.test(name))
    return false
  return /^(?:test|allTests|(?!compile|process|generate|package|merge)[a-z]\w*Test)$/.test(name)
}

/** `:app:test` of Android and `:app:allTests` of Kotlin only name the tasks of their project that run tests. */
function isLifecycleTask({ project, name }: GradleTask, all: GradleTask[]): boolean {
  const others = all.filter(other => other.project === project && other.name !== name)
  return name === 'allTests' ? others.length > 0 : name === 'test' && others.some(other => /UnitTest$/.test(other.name))
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
