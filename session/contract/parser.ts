import type { ClauseProof, Contract, ContractProblem } from './clause.ts'
import { type ClauseDraft, clauseFields, createDraft, parseField, reportUnknownField } from './fields.ts'
import { ContractScanner } from './scanner.ts'

/** `# Contract: x`, `## C1 — x`, and headings that were meant as one, such as `##C1`. */
const headingPattern = /^ {0,3}#{1,6}(\s|$|C\d)/i
/** `## C1 — The program prints ten numbers` */
const clauseHeadingPattern = /^## (C\d+)\s*[—–:.-]+\s*(\S.*)$/
/** `- check: …` or `- guard` */
const fieldPattern = /^\s{0,3}[-*]\s+(\w[\w-]*(?: [\w-]+)*)\s*(?::\s*(.*))?$/
/** `- S4: it is a wish` */
const exclusionPattern = /^\s*[-*+]\s+(S\d+)\s*[:—–-]\s*(\S.*)$/i
/** Lines that were meant as a field but are not: ignoring one would make the contract weaker than it looks. */
const nearFieldPatterns = [
  /^\s*[-*+]\s+\S/, // - It prints 34.
  /^[^\p{L}]*(?:check|expect|guard|allow-skips|limit|pins|judged|scope|covers)[*_`]*\s*(?:[:\uff1a]|$)/iu, // **expect:** exit 1
  /^\s*(?:\(?\d+[.)]|[-*+\u2022\u2013\u2014])[^\p{L}]*(?:check|expect|guard|allow-skips|limit|pins|judged|scope|covers)(?![\p{L}\d])/iu, // 1. scope `a`
  /^[^\p{L}]*expect\s+(?:exit|output)\b/iu, // expect exit 3
]

/** Parses a contract line by line, and collects every problem of a line or a clause. */
export class ContractParser {
  private readonly contract: Contract = { title: '', clauses: [], exclusions: [] }
  private readonly scanner: ContractScanner
  private draft: ClauseDraft | undefined
  private isInNotCovered = false
  /** Was there a heading other than the title? What follows a wrong heading is not reported again. */
  private hasHeading = false

  constructor(text: string) {
    this.scanner = new ContractScanner(text)
  }

  parse(): { contract: Contract; problems: ContractProblem[] } {
    for (let line = this.scanner.readLine(); line !== undefined; line = this.scanner.readLine()) this.parseLine(line)
    this.finishClause()
    return { contract: this.contract, problems: this.scanner.problems }
  }

  private parseLine(line: string): void {
    if (headingPattern.test(line)) return this.parseHeading(line.trim())
    if (this.isInNotCovered) return /^\s*[-*+]\s/.test(line) ? this.parseExclusion(line) : undefined
    const [field, name = '', value = ''] = fieldPattern.exec(line) ?? []
    if (this.draft && field !== undefined) return parseField(this.draft, name.toLowerCase(), value.trim(), this.scanner)
    if (this.draft && nearFieldPatterns.some(pattern => pattern.test(line)))
      return reportUnknownField(line.trim().slice(0, 60), this.scanner)
    if (!this.hasHeading && clauseFields.includes(name.toLowerCase()))
      this.scanner.addProblem(
        `"- ${name}" is above the first clause`,
        'Move it below the heading of its clause, `## C1 — …`.',
      )
  }

  private parseHeading(line: string): void {
    this.finishClause()
    this.isInNotCovered = /^## not covered\s*$/i.test(line)
    if (!this.isInNotCovered && /^# /.test(line) && this.contract.title === '' && !/^# *C\d/.test(line)) {
      this.contract.title = line.replace(/^# +(contract:?)?\s*/i, '')
      return
    }
    this.hasHeading = true
    if (this.isInNotCovered) return
    const [, id, sentence] = clauseHeadingPattern.exec(line) ?? []
    if (id === undefined || sentence === undefined)
      return this.scanner.addProblem(
        `"${line.slice(0, 80)}" is not a heading of a contract`,
        'A clause begins with ##, its id, a dash and one sentence: `## C1 — The program prints …`. The only other heading is `## Not covered`.',
      )
    if (/^C0/.test(id))
      this.scanner.addProblem(`the id ${id} begins with a zero`, 'Number the clauses C1, C2, C3 …, each once.')
    this.draft = createDraft(id, sentence, this.scanner.lineNumber)
  }

  private parseExclusion(line: string): void {
    const [, sentenceId, reason] = exclusionPattern.exec(line) ?? []
    if (sentenceId === undefined || reason === undefined)
      return this.scanner.addProblem(
        'a line under "Not covered" does not have one sentence and a reason',
        'Write - S4: why it is left out',
      )
    this.contract.exclusions.push({ sentenceId: sentenceId.toUpperCase(), reason: reason.trim() })
  }

  /** Turn the draft into a clause, if it has exactly one proof. */
  private finishClause(): void {
    const { draft } = this
    this.draft = undefined
    if (!draft) return
    const { id, sentence, line, covers } = draft
    const proofs = listProofs(draft)
    if (draft.command === undefined && proofs.length > 0) this.reportFieldsWithoutCheck(draft)
    if (proofs.length === 1) {
      this.contract.clauses.push({ id, sentence, line, covers, proof: buildProof(draft) })
      return
    }
    this.scanner.problems.push({
      line,
      message: proofs.length === 0 ? `${id} has no proof` : `${id} has more than one proof: ${proofs.join(' and ')}`,
      remedy: 'Give it exactly one of `- check:`, `- judged` or `- scope:`.',
    })
  }

  private reportFieldsWithoutCheck({ id, checkFields }: ClauseDraft): void {
    for (const { name, line } of checkFields)
      this.scanner.problems.push({
        line,
        message: `${id} has "- ${name}" but no check`,
        remedy: 'Give the clause a `- check:` instead of its other proof, or remove the line.',
      })
  }
}

function listProofs({ command, isJudged, scope }: ClauseDraft): string[] {
  return [command !== undefined && 'check', isJudged && 'judged', scope && 'scope'].filter(
    name => name !== false && name !== undefined,
  )
}

function buildProof({ command, isGuard, expectation, timeoutSeconds, pins, scope }: ClauseDraft): ClauseProof {
  if (command === undefined) return scope ? { kind: 'scope', globs: scope } : { kind: 'judged' }
  return {
    kind: 'check',
    command,
    isGuard,
    expectation,
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(pins === undefined ? {} : { pins }),
  }
}
