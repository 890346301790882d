import type { ContractClause, Expectation } from './clause.ts'
import { isGlob } from './glob.ts'
import { type ContractScanner, parseCodeSpan } from './scanner.ts'

export const clauseFields = ['check', 'expect', 'guard', 'allow-skips', 'limit', 'pins', 'judged', 'scope', 'covers']
/** Fields without a value. */
const marks = ['guard', 'allow-skips', 'judged']
/** Fields that only make sense with a check. */
const checkFields = ['expect', 'guard', 'allow-skips', 'limit', 'pins']

/** A clause whose fields are still being read. */
export interface ClauseDraft extends Omit<ContractClause, 'proof'> {
  command?: string
  isGuard: boolean
  isJudged: boolean
  scope?: string[]
  pins?: string[]
  expectation: Expectation
  timeoutSeconds?: number
  /** Fields of this clause that may occur only once. */
  singleFields: Set<string>
  /** Fields that only make sense with a check. */
  checkFields: { name: string; line: number }[]
}

export function createDraft(id: string, sentence: string, line: number): ClauseDraft {
  return {
    id,
    sentence,
    line,
    covers: [],
    isGuard: false,
    isJudged: false,
    expectation: { exitCode: 0, outputContains: [], outputMatches: [] },
    singleFields: new Set(),
    checkFields: [],
  }
}

/** Read one field into the draft. The scanner gives a fenced block below it, and takes its problems. */
export function parseField(draft: ClauseDraft, name: string, value: string, scanner: ContractScanner): void {
  if (checkFields.includes(name)) draft.checkFields.push({ name, line: scanner.lineNumber })
  switch (name) {
    case 'covers':
      return parseCovers(draft, value, scanner)
    case 'check':
      return parseCheck(draft, value, scanner)
    case 'guard':
    case 'allow-skips':
    case 'judged':
      return parseMark(draft, name, value, scanner)
    case 'scope':
    case 'pins':
      draft[name] = [...(draft[name] ?? []), ...parsePaths(draft, name, value, scanner)]
      return
    case 'expect':
      return parseExpect(draft, value, scanner)
    case 'limit':
      return parseLimit(draft, value, scanner)
    default:
      return reportUnknownField(`- ${name}`, scanner)
  }
}

export function reportUnknownField(line: string, scanner: ContractScanner): void {
  scanner.addProblem(
    `"${line}" is not a field of a clause`,
    `The fields are ${clauseFields.map(field => `\`- ${field}${marks.includes(field) ? '' : ':'}\``).join(', ')}. Write notes on lines without a dash.`,
  )
}

// --- internal ---

function parseCovers(draft: ClauseDraft, value: string, scanner: ContractScanner): void {
  const sentenceIds = value.split(/[\s,;]+/).filter(Boolean)
  const invalid = sentenceIds.find(id => !/^S[1-9]\d*$/i.test(id))
  if (sentenceIds.length === 0 || invalid !== undefined)
    return scanner.addProblem(
      `"covers" of ${draft.id} ${invalid === undefined ? 'is empty' : `has "${clip(invalid)}", which is not the number of a sentence`}`,
      'Name each sentence by its number, separated by commas: - covers: S1, S2',
    )
  draft.covers.push(...sentenceIds.map(id => id.toUpperCase()))
}

function parseMark(
  draft: ClauseDraft,
  name: 'guard' | 'allow-skips' | 'judged',
  value: string,
  scanner: ContractScanner,
): void {
  if (value !== '')
    return scanner.addProblem(
      `"- ${name}" of ${draft.id} takes no value, but has "${clip(value)}"`,
      `Write \`- ${name}\` alone, or remove the line. Write notes on lines without a dash.`,
    )
  if (name === 'allow-skips') draft.expectation.allowsSkips = true
  else draft[name === 'guard' ? 'isGuard' : 'isJudged'] = true
}

function parseCheck(draft: ClauseDraft, value: string, scanner: ContractScanner): void {
  if (draft.command !== undefined)
    return scanner.addProblem(`${draft.id} has two checks`, 'Join them with &&, or make two clauses.')
  const command = parseCodeSpan(value) ?? scanner.readBlockBelow() ?? value
  if (command.trim() === '')
    return scanner.addProblem(
      `the check of ${draft.id} is empty`,
      'Write the command in backticks: - check: `python3 fib.py`',
    )
  if (command === value && value.startsWith('`'))
    return scanner.addProblem(
      `the check of ${draft.id} is not one piece of code: ${clip(value)}`,
      'Put the whole command, and nothing else, between backticks. If it contains backticks, use a fenced block below the line.',
    )
  const typographic = typographicPattern.exec(command)?.[0]
  const codePoint = typographic?.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
  if (typographic !== undefined)
    return scanner.addProblem(
      `the check of ${draft.id} contains "${typographic}" (U+${codePoint}), which a shell does not read as a quote, a dash or a space`,
      'Type it plainly: \' or " for quotes, - for a dash.',
    )
  draft.command = command
}

/** Paths and globs from the top of the repository, in backticks or plain; empty if one of them is invalid. */
function parsePaths(draft: ClauseDraft, name: 'scope' | 'pins', value: string, scanner: ContractScanner): string[] {
  const spans = [...value.matchAll(/`([^`]+)`/g)].map(([, glob = '']) => glob.trim())
  const plain = value
    .replace(/`[^`]+`/g, ' ')
    .split(/[\s,]+/)
    .filter(Boolean)
  if (spans.length > 0 && plain.length > 0) {
    scanner.addProblem(
      `"${name}" of ${draft.id} has "${clip(plain.join(' '))}" outside of backticks`,
      'Put every path between backticks, or none of them.',
    )
    return []
  }
  const globs = spans.length > 0 ? spans : plain
  const invalid = globs.find(glob => !isGlob(glob))
  if (globs.length > 0 && invalid === undefined) return globs
  const example = name === 'scope' ? '`src/**` `README.md`' : '`test.sh` `tests/**`'
  scanner.addProblem(
    `"${name}" of ${draft.id} ${invalid === undefined ? 'is empty' : `has "${invalid}", which is not a path in the repository`}`,
    `List paths from the top of the repository: - ${name}: ${example} (no leading /, no .., a backslash only before a sign such as [ or *).`,
  )
  return []
}

function parseExpect(draft: ClauseDraft, value: string, scanner: ContractScanner): void {
  const [, exitCode] = /^exit\s+(\d{1,3})$/i.exec(value) ?? []
  if (exitCode !== undefined && Number(exitCode) < 256) {
    if (isFirstUse(draft, 'expect: exit', scanner)) draft.expectation.exitCode = Number(exitCode)
    return
  }
  const [, keyword = '', rest = ''] = /^output\s+(contains|equals|matches)\b:?\s*(.*)$/i.exec(value) ?? []
  const comparison = keyword.toLowerCase()
  const text = parseCodeSpan(rest) ?? (rest === '' ? scanner.readBlockBelow() : undefined)
  if (comparison === '' || text === undefined || (text === '' && comparison !== 'equals'))
    return scanner.addProblem(
      `"- expect: ${clip(value)}" is not understood`,
      'Write `- expect: exit 0`, or `- expect: output contains`, `equals` or `matches` with the text in backticks (or in a fenced block below).',
    )
  if (comparison === 'contains') draft.expectation.outputContains.push(text)
  else if (comparison === 'equals') {
    if (isFirstUse(draft, 'expect: output equals', scanner)) draft.expectation.outputEquals = text
  } else if (isRegularExpression(text)) draft.expectation.outputMatches.push(text)
  else
    scanner.addProblem(
      `the pattern \`${text}\` of ${draft.id} is not a regular expression`,
      'Use JavaScript syntax, without slashes around it.',
    )
}

function parseLimit(draft: ClauseDraft, value: string, scanner: ContractScanner): void {
  const [, amount, unit] = /^(\d+)\s*(s|sec|seconds|m|min|minutes)$/i.exec(value) ?? []
  const seconds = Number(amount) * (unit?.toLowerCase().startsWith('m') ? 60 : 1)
  if (!(seconds >= 1 && seconds <= MAX_TIMEOUT_SECONDS))
    return scanner.addProblem(`the limit "${value}" is not a time from 1 s to 60 min`, 'Write it as - limit: 60 s')
  if (isFirstUse(draft, 'limit', scanner)) draft.timeoutSeconds = seconds
}

/** Is this the first use of a field that may occur once? A second one would silently replace the first. */
function isFirstUse(draft: ClauseDraft, field: string, scanner: ContractScanner): boolean {
  const isFirst = !draft.singleFields.has(field)
  draft.singleFields.add(field)
  if (!isFirst)
    scanner.addProblem(`${draft.id} has "${field}" twice`, 'Keep one of the two lines, or make two clauses.')
  return isFirst
}

const MAX_TIMEOUT_SECONDS = 3600

/** Curly quotes, guillemets, long dashes, the no-break space. */
const typographicPattern = /[\u2018\u2019\u201c\u201d\u00ab\u00bb\u2013\u2014\u00a0]/

function isRegularExpression(text: string): boolean {
  try {
    return Boolean(new RegExp(text, 'm'))
  } catch {
    return false
  }
}

/** A problem quotes at most 60 characters of a line. */
function clip(text: string): string {
  return text.slice(0, 60)
}
