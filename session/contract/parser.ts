import type { ClauseProof, Contract, ContractClause, ContractProblem, Expectation } from './clause.ts'
import { isGlob } from './glob.ts'
/** Read a contract line by line: what each line says, and what is wrong with it. */
export function scanContract(text: string): { contract: Contract; problems: ContractProblem[] } {
  const reader = new ContractScanner(text)
  reader.read()
  return reader
}

const clauseHeadingPattern = /^## (C\d+)\s*[—–:.-]+\s*(\S.*)$/
const fieldPattern = /^\s{0,3}[-*]\s+(\w[\w-]*(?: [\w-]+)*)\s*(?::\s*(.*))?$/
const clauseFields = ['check', 'expect', 'guard', 'limit', 'pins', 'judged', 'scope', 'covers']
/** What was meant as a field but is not read as one: to pass over it would make the contract weaker than it looks. */
const nearFieldPatterns = [
  /^\s*[-*+]\s+\S/,
  /^[^\p{L}]*(?:check|expect|guard|limit|pins|judged|scope|covers)[*_`]*\s*(?:[:\uff1a]|$)/iu,
  /^\s*(?:\(?\d+[.)]|[-*+\u2022\u2013\u2014])[^\p{L}]*(?:check|expect|guard|limit|pins|judged|scope|covers)(?![\p{L}\d])/iu,
  /^[^\p{L}]*expect\s+(?:exit|output)\b/iu,
]
const typographicPattern = /[\u2018\u2019\u201c\u201d\u00ab\u00bb\u2013\u2014\u00a0]/

interface ClauseDraft extends Omit<ContractClause, 'proof'> {
  check?: string
  guard: boolean
  judged: boolean
  globs?: string[]
  pins?: string[]
  expect: Expectation
  limitSeconds?: number
  /** The lines that may stand only once, by what they say. */
  said: Set<string>
  /** The lines that say something of a check. */
  ofCheck: { name: string; line: number }[]
}

class ContractScanner {
  readonly problems: ContractProblem[] = []
  readonly contract: Contract = { title: '', clauses: [], exclusions: [] }
  private readonly lines: string[]
  private at = 0
  /** Where what is being read began: a fenced block carries `at` on. */
  private reading = 0
  private draft: ClauseDraft | undefined
  private inLeftOut = false
  /** Has any heading but the title been read? What follows a wrong one is not told of as well. */
  private begun = false

  constructor(text: string) {
    this.lines = text
      .replace(/^\ufeff/, '')
      .replace(/\r\n?/g, '\n')
      .split('\n')
  }

  read(): void {
    for (; this.at < this.lines.length; this.at++) this.line(this.lines[this.at] ?? '')
    this.finish()
  }

  private line(line: string): void {
    this.reading = this.at
    if (/^\s*<!--/.test(line)) return this.comment()
    if (/^ {0,3}#{1,6}(\s|$|C\d)/i.test(line)) return this.heading(line.trim())
    if (/^\s*(```|~~~)/.test(line)) return void this.fenced()
    if (this.inLeftOut) return /^\s*[-*+]\s/.test(line) ? this.leaveOut(line) : undefined
    const [found, name = '', value = ''] = fieldPattern.exec(line) ?? []
    if (this.draft && found !== undefined) return this.field(this.draft, name.toLowerCase(), value.trim())
    if (this.draft && nearFieldPatterns.some(shape => shape.test(line))) return this.unknown(line.trim().slice(0, 60))
    if (!this.begun && clauseFields.includes(name.toLowerCase())) return this.homeless(name)
  }

  /** A comment begins on a line of its own: anywhere else, `<!--` belongs to a command or an expectation. */
  private comment(): void {
    const end = this.lines.findIndex((line, index) => index >= this.at && line.includes('-->'))
    if (end < 0) {
      this.problem('a comment is not closed', 'Close it with --> on a line of its own.')
      this.at = this.lines.length
      return
    }
    const last = this.lines[end] ?? ''
    this.lines[end] = last.slice(last.indexOf('-->') + 3)
    this.at = end - 1 // What stands behind it is read next.
  }

  private heading(line: string): void {
    this.finish()
    this.inLeftOut = /^## not covered\s*$/i.test(line)
    if (!this.inLeftOut && /^# /.test(line) && this.contract.title === '' && !/^# *C\d/.test(line)) {
      this.contract.title = line.replace(/^# +(contract:?)?\s*/i, '')
      return
    }
    this.begun = true
    if (this.inLeftOut) return
    const [, id, sentence] = clauseHeadingPattern.exec(line) ?? []
    if (id === undefined || sentence === undefined) {
      return this.problem(
        `the heading "${line.slice(0, 80)}" is not one a contract has`,
        'A clause begins with two #, its id, a dash and one sentence: `## C1 — The program prints …`. The only other heading is `## Not covered`.',
      )
    }
    if (/^C0/.test(id)) this.problem(`the id ${id} begins with a zero`, 'Number the clauses C1, C2, C3 … each once.')
    this.draft = {
      id,
      sentence,
      line: this.at + 1,
      covers: [],
      guard: false,
      judged: false,
      expect: { exitCode: 0, outputContains: [], outputMatches: [] },
      said: new Set(),
      ofCheck: [],
    }
  }

  private field(draft: ClauseDraft, name: string, value: string): void {
    if (['expect', 'limit', 'guard', 'pins'].includes(name)) draft.ofCheck.push({ name, line: this.at + 1 })
    switch (name) {
      case 'covers':
        return this.covers(draft, value)
      case 'check':
        return this.check(draft, value)
      case 'guard':
      case 'judged':
        return this.mark(draft, name, value)
      case 'scope':
        draft.globs = [...(draft.globs ?? []), ...this.paths(draft, name, value)]
        return
      case 'pins':
        draft.pins = [...(draft.pins ?? []), ...this.paths(draft, name, value)]
        return
      case 'expect':
        return this.expect(draft, value)
      case 'limit':
        return this.limit(draft, value)
      default:
        return this.unknown(`- ${name}`)
    }
  }

  private unknown(line: string): void {
    this.problem(
      `"${line}" is not a line a clause has`,
      'A clause has: `- check:`, `- expect:`, `- guard`, `- limit:`, `- pins:`, `- judged`, `- scope:`, `- covers:`. Notes go on lines without a dash.',
    )
  }

  private homeless(name: string): void {
    this.problem(
      `"- ${name}" stands before the first clause, and belongs to none`,
      'Put it below its clause, `## C1 — …`.',
    )
  }

  private covers(draft: ClauseDraft, value: string): void {
    const all = value.split(/[\s,;]+/).filter(Boolean)
    const bad = all.find(sentence => !/^S[1-9]\d*$/i.test(sentence))
    if (all.length === 0 || bad !== undefined) {
      return this.problem(
        `"covers" of ${draft.id} ${bad === undefined ? 'names nothing' : `holds "${bad.slice(0, 60)}", which is no sentence of the task`}`,
        'Name each sentence by its number, with commas between: - covers: S1, S2',
      )
    }
    draft.covers.push(...all.map(sentence => sentence.toUpperCase()))
  }

  private mark(draft: ClauseDraft, name: 'guard' | 'judged', value: string): void {
    if (value !== '')
      return this.problem(
        `"- ${name}" of ${draft.id} takes no value, and has "${value.slice(0, 60)}"`,
        `Write \`- ${name}\` alone if it is meant, or take the line out. Notes go on lines without a dash.`,
      )
    draft[name] = true
  }

  /** Whether this is the first time; the second would put out what the first said. */
  private once(draft: ClauseDraft, what: string): boolean {
    const isFirst = !draft.said.has(what)
    draft.said.add(what)
    if (!isFirst) this.problem(`${draft.id} says "${what}" twice`, 'Keep one of the two lines, or make two clauses.')
    return isFirst
  }

  private check(draft: ClauseDraft, value: string): void {
    if (draft.check !== undefined)
      return this.problem(`${draft.id} has two checks`, 'Join them with &&, or make two clauses.')
    const command = this.code(value) ?? this.fenced() ?? value
    if (command.trim() === '')
      return this.problem(
        `the check of ${draft.id} is empty`,
        'Write the command in backticks: - check: `python3 fib.py`',
      )
    if (command === value && value.startsWith('`'))
      return this.problem(
        `the check of ${draft.id} is not one piece of code: ${value.slice(0, 60)}`,
        'Put the whole command, and nothing else, between backticks. If it holds backticks itself, use a fenced block below the line.',
      )
    const odd = typographicPattern.exec(command)?.[0]
    if (odd) {
      return this.problem(
        `the check of ${draft.id} holds "${odd}" (U+${odd.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}), which a shell does not read as a quote, a dash or a blank`,
        'Type it plainly: \' or " for quotes, - for a dash.',
      )
    }
    draft.check = command
  }

  /** Paths and patterns from the top of the repository; none when one of them is not. */
  private paths(draft: ClauseDraft, name: 'scope' | 'pins', value: string): string[] {
    const globs = [...value.matchAll(/`([^`]+)`/g)].map(([, glob = '']) => glob.trim())
    const all = globs.length > 0 ? globs : value.split(/[\s,]+/).filter(Boolean)
    const bad = all.find(glob => !isGlob(glob))
    if (all.length === 0 || bad !== undefined) {
      const whose = name === 'scope' ? `the scope of ${draft.id}` : `"pins" of ${draft.id}`
      this.problem(
        `${whose} ${bad === undefined ? 'names nothing' : `holds "${bad}"`}`,
        `Name paths from the top of the repository: - ${name}: ${name === 'scope' ? '`src/**` `README.md`' : '`test.sh` `tests/**`'} (no leading /, no ..).`,
      )
      return []
    }
    return all
  }

  private expect(draft: ClauseDraft, value: string): void {
    const exit = /^exit\s+(\d{1,3})$/i.exec(value)
    if (exit && Number(exit[1]) < 256) {
      if (this.once(draft, 'expect: exit')) draft.expect.exitCode = Number(exit[1])
      return
    }
    const [, how = '', rest = ''] = /^output\s+(contains|equals|matches)\b:?\s*(.*)$/i.exec(value) ?? []
    const wanted = this.code(rest) ?? (rest === '' ? this.fenced() : undefined)
    if (how === '' || wanted === undefined || (wanted === '' && how.toLowerCase() !== 'equals')) {
      return this.problem(
        `"- expect: ${value.slice(0, 60)}" is not understood`,
        'Write `- expect: exit 0`, or `- expect: output contains`, `equals` or `matches` with the text in backticks (or in a fenced block below).',
      )
    }
    if (how.toLowerCase() === 'contains') draft.expect.outputContains.push(wanted)
    else if (how.toLowerCase() === 'equals') {
      if (this.once(draft, 'expect: output equals')) draft.expect.outputEquals = wanted
    } else if (isPattern(wanted)) draft.expect.outputMatches.push(wanted)
    else
      this.problem(
        `the pattern \`${wanted}\` of ${draft.id} is not a regular expression`,
        'Use JavaScript syntax, without the slashes round it.',
      )
  }

  private limit(draft: ClauseDraft, value: string): void {
    const [, amount, unit] = /^(\d+)\s*(s|sec|seconds|m|min|minutes)$/i.exec(value) ?? []
    const seconds = Number(amount) * (unit?.toLowerCase().startsWith('m') ? 60 : 1)
    if (!(seconds >= 1 && seconds <= 3600))
      return this.problem(`the limit "${value}" is not a time from 1 s to 60 min`, 'Write - limit: 60 s')
    if (this.once(draft, 'limit')) draft.limitSeconds = seconds
  }

  private leaveOut(line: string): void {
    const [, sentence, why] = /^\s*[-*+]\s+(S\d+)\s*[:—–-]\s*(\S.*)$/i.exec(line) ?? []
    if (sentence === undefined || why === undefined)
      return this.problem('a line under "Not covered" names no sentence', 'Write - S4: why it is left out')
    this.contract.exclusions.push({ sentenceId: sentence.toUpperCase(), reason: why.trim() })
  }

  private finish(): void {
    const { draft } = this
    this.draft = undefined
    if (!draft) return
    const { id, sentence, line, covers } = draft
    const ways = [draft.check !== undefined && 'check', draft.judged && 'judged', draft.globs && 'scope'].filter(
      Boolean,
    )
    if (draft.check === undefined && ways.length > 0) this.idle(draft)
    if (ways.length !== 1) {
      this.problems.push({
        line,
        message:
          ways.length === 0 ? `${id} says no way to prove it` : `${id} has two ways to prove it: ${ways.join(' and ')}`,
        remedy: 'Give it exactly one of `- check:`, `- judged` or `- scope:`.',
      })
      return
    }
    const limit = draft.limitSeconds === undefined ? {} : { timeoutSeconds: draft.limitSeconds }
    const pins = draft.pins === undefined ? {} : { pins: draft.pins }
    const proof: ClauseProof =
      draft.check !== undefined
        ? { kind: 'check', command: draft.check, isGuard: draft.guard, expectation: draft.expect, ...limit, ...pins }
        : draft.globs
          ? { kind: 'scope', globs: draft.globs }
          : { kind: 'judged' }
    this.contract.clauses.push({ id, sentence, line, covers, proof })
  }

  /** What is said of a check that is not there. */
  private idle({ id, ofCheck }: ClauseDraft): void {
    for (const { name, line } of ofCheck)
      this.problems.push({
        line,
        message: `${id} has "- ${name}" and no check that it could belong to`,
        remedy: 'Give the clause a `- check:` in place of its other proof, or take the line out.',
      })
  }

  /** The text of an inline code span that fills the value: as many backticks after it as before it. */
  private code(value: string): string | undefined {
    const ticks = /^`+/.exec(value)?.[0]
    if (ticks === undefined || value.length <= 2 * ticks.length || !value.endsWith(ticks)) return undefined
    const inner = value.slice(ticks.length, -ticks.length)
    const others = inner.match(/`+/g) ?? []
    if (inner.endsWith('`') || others.some(run => run.length === ticks.length)) return undefined
    return inner.replace(/^ (.*) $/, '$1')
  }

  /** The fenced block that begins on this line or the next, without its indent; the reader moves behind it. */
  private fenced(): string | undefined {
    const opensHere = /^\s*(```|~~~)/.test(this.lines[this.at] ?? '')
    const from = opensHere ? this.at : this.at + 1
    const [, indent, fence] = /^(\s*)(```+|~~~+)/.exec(this.lines[from] ?? '') ?? []
    if (indent === undefined || fence === undefined) return undefined
    const closes = (line: string) => line.startsWith(fence) && /^(`+|~+)$/.test(line)
    const end = this.lines.findIndex((line, index) => index > from && closes(line.trim()))
    if (end < 0) {
      this.problem('a fenced block is not closed', `Close it with ${fence} on a line of its own.`)
      this.at = this.lines.length
      return undefined
    }
    this.at = end
    return this.lines
      .slice(from + 1, end)
      .map(line => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()))
      .join('\n')
  }

  private problem(message: string, remedy: string): void {
    if (this.at >= this.lines.length) return // Behind the end: what is not closed has been told of.
    this.problems.push({ line: this.reading + 1, message, remedy })
  }
}

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text, 'm'))
  } catch {
    return false
  }
}
