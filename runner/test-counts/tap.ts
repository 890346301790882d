import { nothingRan, parseCount, readCounts, type SummaryReader, type TestSummary } from './summary.ts'

/** `ok 3 - name # SKIP why`. A bare `ok` is how prove ends a file. */
const pointPattern = /^( *)(not )?ok (?=\d|- )(?:\d+)? *-? *(.*)$/
/** `1..3` or `1..0 # SKIP why` */
const planPattern = /^1\.\.(\d+)(?: *# *(.*))?$/
/** Something of what TAP, node and prove print. */
const tapPattern = /^ *(?:not )?ok \d|^ *(?:not )?ok - |^1\.\.\d|^[#ℹ] tests |^Files=\d/m
/** A file that node runs as one test, because it has no test in it: its path, or a name by which node finds tests. */
const filePattern = /^(?:\/\S*|(?:\S*\/)?test\/\S*|(?:\S*\/)?(?:test(?:-[^/\s]*)?|[^/\s]*[._-]test))\.[cm]?[jt]sx?$/
/** Something that may be the name of a file, if the command names it. */
const namePattern = /^\S*\.[cm]?[jt]sx?$/

/** TAP, as tape, node, bats, perl and many others print it; node's own form of its totals; and prove. */
export const readTapSummaries: SummaryReader = (lines, text, command) => {
  if (!tapPattern.test(text)) return []

  const totals = readTotals(lines, [command, ...lines.filter(line => / --test\b/.test(line))].join('\n'))
  const points = readPoints(lines)
  if (totals.length === 0) return points.length > 0 ? points : readProve(lines)
  // The totals of tape count a skipped assertion as passed.
  const isAllSkipped = points.some(({ ran, skipped }) => ran === 0 && skipped > 0)
  return isAllSkipped && totals.some(({ ran }) => ran > 0) ? points : totals
}

// --- internal ---

/** Older versions of node call tests skipped that a name pattern leaves out. */
const filteredPattern = / # (?:SKIP )?test name does not match pattern$/
const totalPattern = /^[#ℹ] (?:tests|pass|fail|cancelled|skip(?:ped)?|todo) +\d+$/

/** `# tests 3`, `# pass 2`, `# skip 1`, and with `ℹ` in node. They begin with the tests. `commands` has what was started. */
function readTotals(lines: string[], commands: string): TestSummary[] {
  const summaries: TestSummary[] = []
  let placeholders = 0
  let filtered = 0
  for (const [index, line] of lines.entries()) {
    if (filteredPattern.test(line)) filtered++
    if (isPlaceholder(lines, index, commands)) placeholders++
    if (!/^[#ℹ] tests +\d+$/.test(line)) continue
    const block = lines.slice(index, index + 9).filter(other => totalPattern.test(other))
    const list = block.map(total => total.slice(2)).join(', ')
    const counts = readCounts(list, 'word first')
    const isLone = block.length === 1 || (counts.ran > 0 && !/\bpass\b/.test(list))
    const ran = Math.max(0, counts.ran - placeholders)
    const skipped = Math.max(0, counts.skipped - filtered)
    summaries.push({ runner: 'tap', line: index, ran, failed: Math.min(counts.failed, ran), skipped, isLone })
    placeholders = filtered = 0
  }
  return summaries
}

/** `✔ /a/empty.test.js (35ms)`, or `ok 1 - /a/empty.test.js` that is not the end of a suite. A test may be called `arrow.js`. */
function isPlaceholder(lines: string[], index: number, commands: string): boolean {
  const line = lines[index] ?? ''
  const before = lines[index - 1] ?? ''
  const [, spec] = /^✔ (\S+) \([\d.]+m?s\)$/.exec(line) ?? []
  if (spec !== undefined) return isFile(spec, commands) && !/^ +[✔✖﹣▶] /.test(before)
  const [, indent, , name = ''] = pointPattern.exec(line) ?? []
  return indent === '' && isFile(name, commands) && !/^ +1\.\.\d/.test(before)
}

/** Is this the name of a file that node was told to run, or finds by itself? */
function isFile(name: string, commands: string): boolean {
  if (filePattern.test(name)) return true
  if (!namePattern.test(name)) return false
  if (commands.includes(name) || commands.includes(`${name.split('/')[0]}/`)) return true
  const globs = commands.split(/[\s"']+/).filter(word => word.includes('*'))
  return globs.some(glob => name.startsWith(glob.split('*')[0] ?? '') && name.endsWith(glob.split('*').at(-1) ?? ''))
}

/** Count the test points. One that ends a deeper block is the sum of that block, and not a test. */
function readPoints(lines: string[]): TestSummary[] {
  const counts = { ...nothingRan }
  let planLine = -1
  let depth = 0
  let points = 0
  for (const [index, line] of lines.entries()) {
    const [isPlan, planned, directive] = planPattern.exec(line) ?? []
    if (isPlan !== undefined) {
      planLine = index
      if (planned === '0' && /^skip/i.test(directive ?? '')) counts.skipped++
    }
    const [isPoint, indent = '', not, name = ''] = pointPattern.exec(line) ?? []
    if (isPoint === undefined) continue
    points++
    const isSum = indent.length < depth
    depth = indent.length
    if (isSum) continue
    if (/# *(?:skip|todo)/i.test(name)) counts.skipped++
    else counts.ran++
    if (not !== undefined && !/# *(?:skip|todo)/i.test(name)) counts.failed++
  }
  // Without a plan it may be any text, and so may an empty plan among other text.
  const isTap = planLine >= 0 && (points > 0 || counts.skipped > 0 || lines.every(isQuietTapLine))
  return isTap ? [{ runner: 'tap', line: planLine, ...counts }] : []
}

/** A line of an output in which only a plan is. */
function isQuietTapLine(line: string): boolean {
  return line === '' || line.startsWith('#') || /^TAP version \d+$/.test(line) || planPattern.test(line)
}

/** `Files=2, Tests=3, 0 wallclock secs …`, after a line for each file such as `t/a.t .. skipped: no db`. */
function readProve(lines: string[]): TestSummary[] {
  let skipped = 0
  return lines.flatMap((line, index) => {
    if (/^\S+ \.{2,} skipped(?:: .*)?$/.test(line)) skipped++
    const [, tests] = /^Files=\d+, Tests=(\d+), /.exec(line) ?? []
    if (tests === undefined) return []
    return [{ runner: 'tap', line: index, ran: parseCount(tests), failed: 0, skipped }]
  })
}
