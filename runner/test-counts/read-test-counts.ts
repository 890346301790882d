import type { RunResult } from '#host/exec.ts'
import { stripEscapeSequences } from '#host/text.ts'
import type { TestCounts } from '#session/evidence'
import { readBlockSummaries } from './block-formats.ts'
import { findStartedRunners, looksLikeTestRun, onlyReadsText, type StartedRunners } from './command.ts'
import { readGoSummaries } from './go.ts'
import { readHomeMadeSummaries } from './home-made.ts'
import { javaReaders } from './java.ts'
import { readOneLineSummaries } from './line-formats.ts'
import { ownRuleReaders } from './own-rules.ts'
import type { TestSummary } from './summary.ts'
import { readTapSummaries } from './tap.ts'

/**
 * How many tests a run executed, as its output says; undefined if it is not a test run. The output is text that an agent may
 * have written, so where it can be read in two ways, fewer tests ran:
 *
 * 1. The summaries of all runs in the output add up: packages, binaries and projects without tests are normal.
 * 2. Of a command that starts one runner once, only the lowest summary of that runner counts. The command is the check's own,
 *    or one that npm, yarn, make or tox printed before it started it.
 * 3. A runner writes its summaries to one stream. If both streams have some, those with fewer tests count.
 * 4. A line without the other lines that its runner prints around it counts only if nothing says that no test ran.
 *
 * Pure, and linear in the length of the output.
 */
export function readTestCounts(
  { stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>,
  command: string,
): TestCounts | undefined {
  if (onlyReadsText(command)) return undefined
  const streams = [stdout, stderr].map(text => splitByPrefix(cleanLines(text)).map(lines => readPart(lines, command)))
  const parts = streams.flat()
  const summaries = parts.flatMap(part => part.summaries)
  if (summaries.length === 0)
    return looksLikeTestRun(command) ? addUp(readHomeMadeSummaries(parts.flatMap(({ lines }) => lines))) : undefined
  const started = findStartedRunners(command) ?? findOnlyPrintedCommand(parts)
  if (started) return addUp(selectOfRun(summaries, started))
  const [ofStdout = [], ofStderr = []] = streams.map(stream => stream.flatMap(selectOfPart))
  return addUp(selectOfOneStream(ofStdout, ofStderr))
}

// --- internal ---

const MAX_LINE_CHARS = 400

/** Colours, other escape sequences, and the overwritten versions of a line are removed. */
function cleanLines(text: string): string[] {
  return stripEscapeSequences(text)
    .replaceAll('\r\n', '\n')
    .split(/[\n\r]/)
    .map(line => line.slice(0, MAX_LINE_CHARS).trimEnd())
}

/** `packages/a test: …` of pnpm, but not `Total tests: 3` of .NET, `web:test: …` of turbo, `[web]: …` of yarn, `app-1  | …` of compose. */
const prefixPattern =
  /^(?:(?![A-Z]\w* tests?: +\d+$)([\w@./-]+ [\w:-]*test[\w:-]*): |([@\w./-]+:[\w:-]*test[\w:-]*): |\[(?!(?:INFO|WARNING|ERROR|info|error|warn|junit)\])([@\w./-]+)\]:? |([\w.-]+-\d+) +\| )(.*)$/

/** Packages that are tested at the same time write their lines between each other's, each with its name before it. */
function splitByPrefix(lines: string[]): string[][] {
  const parts = new Map<string, string[]>([['', []]])
  for (const line of lines) {
    const [, ...groups] = prefixPattern.exec(line) ?? []
    const rest = groups.pop()
    const prefix = groups.find(Boolean) ?? ''
    const part = parts.get(prefix) ?? []
    part.push(rest ?? line)
    parts.set(prefix, part)
  }
  return [...parts.values()]
}

const readers = [
  readOneLineSummaries,
  readBlockSummaries,
  readTapSummaries,
  readGoSummaries,
  ...javaReaders,
  ...ownRuleReaders,
]

/** The output of one package, or all of a stream. */
interface OutputPart {
  lines: string[]
  summaries: TestSummary[]
  commands: PrintedCommand[]
}

/** A command that the output names, by its line. `started` is undefined for the line that only names a package. */
interface PrintedCommand {
  line: number
  started: StartedRunners | undefined
}

function readPart(lines: string[], command: string): OutputPart {
  const text = lines.join('\n')
  const summaries = readers.flatMap(read => read(lines, text, command))
  return { lines, summaries, commands: lines.flatMap(readPrintedCommand) }
}

/** `> node --test` of npm and pnpm, `$ jest` of yarn, `py311: commands[0]> pytest` of tox, and a bare line of make. */
const printedCommandPattern = /^(?:> |\$ |[\w.-]+: commands\[\d+\]> )?((?:\w+=\S* )*[\w./-]+(?: .*)?)$/

function readPrintedCommand(text: string, line: number): PrintedCommand[] {
  if (/^> \S+@\S+ \S+/.test(text)) return [{ line, started: undefined }] // npm and pnpm: `> web@1.0.0 test`
  const command = printedCommandPattern.exec(text)?.[1]
  const started = command !== undefined && looksLikeTestRun(command) ? findStartedRunners(command) : undefined
  return started ? [{ line, started }] : []
}

/** What a script starts that starts a single command, for a single package. */
function findOnlyPrintedCommand(parts: OutputPart[]): StartedRunners | undefined {
  const commands = parts.flatMap(part => part.commands)
  const [first, ...others] = commands.filter(({ started }) => started !== undefined)
  return others.length === 0 && commands.length <= 2 ? first?.started : undefined
}

/** What counts of a run whose command is known. */
function selectOfRun(summaries: TestSummary[], { runners, isOneRun }: StartedRunners): TestSummary[] {
  const own = summaries.filter(({ runner }) => runners.includes(runner))
  if (own.length === 0) return summaries
  return isOneRun ? own.toSorted((a, b) => readRan(a) - readRan(b)).slice(0, 1) : own
}

/** What counts of a part, between each two commands that it names. */
function selectOfPart({ summaries, commands }: OutputPart): TestSummary[] {
  const inOrder = summaries.toSorted((a, b) => a.line - b.line)
  let next = 0
  const takeUntil = (end: number) => {
    const start = next
    while ((inOrder[next]?.line ?? end) < end) next++
    return inOrder.slice(start, next)
  }
  const first = takeUntil(commands[0]?.line ?? Infinity)
  const rest = commands.flatMap(({ started }, index) => {
    const region = takeUntil(commands[index + 1]?.line ?? Infinity)
    return started ? selectOfRun(region, started) : region
  })
  return [...first, ...rest]
}

/** Whole summaries of one runner in both streams: one of the two is not the runner's own. */
function selectOfOneStream(stdout: TestSummary[], stderr: TestSummary[]): TestSummary[] {
  const [outRan, errRan] = [sumWholeSummaries(stdout), sumWholeSummaries(stderr)]
  const isFewer = (runner: string) => (errRan.get(runner) ?? Infinity) < (outRan.get(runner) ?? Infinity)
  return [
    ...stdout.filter(({ runner, isLone }) => isLone || !isFewer(runner)),
    ...stderr.filter(({ runner, isLone }) => isLone || !outRan.has(runner) || isFewer(runner)),
  ]
}

/** The tests that ran, for each runner. */
function sumWholeSummaries(summaries: TestSummary[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const summary of summaries)
    if (!summary.isLone) sums.set(summary.runner, (sums.get(summary.runner) ?? 0) + readRan(summary))
  return sums
}

/** Tests of which only the number is unknown ran. */
function readRan({ ran, label }: TestSummary): number {
  return label === undefined ? ran : Infinity
}

function addUp(summaries: TestSummary[]): TestCounts {
  const isNothing = (summary: TestSummary) => readRan(summary) === 0
  const counting = summaries.some(isNothing) ? summaries.filter(each => isNothing(each) || !each.isLone) : summaries
  const sum = (key: 'ran' | 'failed' | 'skipped') => counting.reduce((total, summary) => total + summary[key], 0)
  const counts = { ran: sum('ran'), failed: sum('failed'), skipped: sum('skipped') }
  const labels = counting.flatMap(({ label }) => label ?? [])
  if (counts.ran > 0 || (counting.length > 0 && labels.length === 0)) return counts
  return labels.length > 0 && labels.every(label => label === 'cached') ? 'cached' : 'unknown'
}
