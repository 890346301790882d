import type { RunResult } from '#host/exec.ts'
import type { TestCounts } from '#session/evidence'
import { readBlockSummaries } from './blocks.ts'
import { findStartedRunners, looksLikeTestRun, onlyReadsText, type StartedRunners } from './command.ts'
import { readGoSummaries } from './go.ts'
import { readHomeMadeSummaries } from './home-made.ts'
import { javaReaders } from './java.ts'
import { readOneLineSummaries } from './one-line.ts'
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
  const started = findStartedRunners(command)
  const streams = [stdout, stderr].map(text => splitByPrefix(cleanLines(text)))
  const found = streams.map(parts => parts.map(readSummaries))
  const counting = started
    ? selectOfRun(found.flat(2), started)
    : selectOfOneStream(
        found.map((parts, at) =>
          parts.flatMap((summaries, part) => selectOfRegions(summaries, streams[at]?.[part] ?? [])),
        ),
      )
  const isTestRun = looksLikeTestRun(command) || counting.length > 0
  if (counting.length > 0 || !isTestRun) return isTestRun ? addUp(counting) : undefined
  const lines = streams.flat(2)
  return addUp(readHomeMadeSummaries(lines))
}

// --- internal ---

const MAX_LINE_CHARS = 400

/** Colours, other escape sequences, and the overwritten versions of a line are removed. */
function cleanLines(text: string): string[] {
  return text
    .replace(escapePattern, '')
    .replaceAll('\r\n', '\n')
    .split(/[\n\r]/)
    .map(line => line.slice(0, MAX_LINE_CHARS).trimEnd())
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const escapePattern = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g

/** `packages/a test: …` of pnpm, `web:test: …` of turbo, `[web]: …` of yarn, `app-1  | …` of compose. */
const prefixPattern =
  /^(?:([\w@./-]+ [\w:-]*test[\w:-]*): |([@\w./-]+:[\w:-]*test[\w:-]*): |\[(?!(?:INFO|WARNING|ERROR|info|error|warn|junit)\])([@\w./-]+)\]:? |([\w.-]+-\d+) +\| )(.*)$/

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

function readSummaries(lines: string[]): TestSummary[] {
  const text = lines.join('\n')
  return readers.flatMap(read => read(lines, text))
}

/** What counts of a run whose command is known. */
function selectOfRun(summaries: TestSummary[], { runners, isOneRun }: StartedRunners): TestSummary[] {
  const own = summaries.filter(({ runner }) => runners.includes(runner))
  if (own.length === 0) return summaries
  return isOneRun ? own.toSorted((a, b) => readRan(a) - readRan(b)).slice(0, 1) : own
}

/** `> node --test` of npm and pnpm, `$ jest` of yarn, `py311: commands[0]> pytest` of tox, and a bare line of make. */
const printedCommandPattern = /^(?:> |\$ |[\w.-]+: commands\[\d+\]> )?((?:\w+=\S* )*[\w./-]+(?: .*)?)$/

/** Divide the summaries by the commands that the output itself names, and select from each part. */
function selectOfRegions(summaries: TestSummary[], lines: string[]): TestSummary[] {
  if (summaries.length < 2) return summaries
  const byLine = Map.groupBy(summaries, ({ line }) => line)
  const selected: TestSummary[][] = []
  let started: StartedRunners | undefined
  let region: TestSummary[] = []
  const close = () => {
    selected.push(started ? selectOfRun(region, started) : region)
    region = []
  }
  for (const [index, line] of lines.entries()) {
    // The line that a package manager prints before the command: `> web@1.0.0 test`
    const isTitle = /^> \S+@\S+ \S+/.test(line)
    const command = isTitle || byLine.has(index) ? undefined : printedCommandPattern.exec(line)?.[1]
    const next = command !== undefined && looksLikeTestRun(command) ? findStartedRunners(command) : undefined
    if (isTitle || next) {
      close()
      started = next
    }
    region.push(...(byLine.get(index) ?? []))
  }
  close()
  return selected.flat()
}

/** Whole summaries of one runner in both streams: one of the two is not the runner's own. */
function selectOfOneStream([stdout = [], stderr = []]: TestSummary[][]): TestSummary[] {
  const [outRan, errRan] = [sumWholeSummaries(stdout), sumWholeSummaries(stderr)]
  const keep = (stream: TestSummary[], own: Map<string, number>, other: Map<string, number>) =>
    stream.filter(({ runner, isLone }) => isLone || (own.get(runner) ?? 0) <= (other.get(runner) ?? Infinity))
  return [...keep(stdout, outRan, errRan), ...keep(stderr, errRan, outRan)]
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
