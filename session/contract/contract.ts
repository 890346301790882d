import { readWishes } from '../task/quoted-task.ts'
import type { Contract, ContractProblem } from './clause.ts'
import { ContractParser } from './parser.ts'

/** Parse a contract, and list all of its problems at once, by line. */
export function parseContract(
  text: string,
  options: { allowsJudgedOnly: boolean },
): { contract: Contract; problems: ContractProblem[] } {
  const { contract, problems } = new ContractParser(text).parse()
  const { clauses } = contract
  const checks = clauses.flatMap(({ proof }) => (proof.kind === 'check' ? [proof] : []))
  const addProblem = (line: number, message: string, remedy: string) => problems.push({ line, message, remedy })
  const nulIndex = text.indexOf('\0')
  if (nulIndex >= 0)
    addProblem(
      text.slice(0, nulIndex).split('\n').length,
      'there is a NUL byte',
      'A contract is text. Type the line again.',
    )
  if (clauses.length === 0)
    addProblem(
      0,
      'there is no clause',
      'Write at least one: `## C1 — one sentence that is observably true or false`, then `- check:` with a command.',
    )
  else if (!options.allowsJudgedOnly && checks.length === 0)
    addProblem(
      0,
      'no clause has a check, so nothing in this contract can be proved by running it',
      'Give at least one clause a `- check:` with a command. If nothing can be run, ask the human: only they can allow it (`dispatch --allow-judged-only`).',
    )
  else if (!options.allowsJudgedOnly && checks.every(check => check.isGuard))
    addProblem(
      0,
      'every check is a guard, so nothing in this contract shows that the work was done',
      'Give at least one clause a check without the line "- guard": it fails now, and passes once the work is done.',
    )
  for (const [index, clause] of clauses.entries()) {
    if (clauses.findIndex(({ id }) => id === clause.id) !== index)
      addProblem(clause.line, `the id ${clause.id} is used twice`, 'Number the clauses C1, C2, C3 …, each once.')
  }
  return { contract, problems: problems.sort((a, b) => a.line - b.line) }
}

/** Format problems as `line 7: …` with an indented line `fix: …` below each. */
export function describeProblems(problems: ContractProblem[]): string {
  return problems
    .map(({ line, message, remedy }) => `${line > 0 ? `line ${line}` : 'whole file'}: ${message}\n  fix: ${remedy}`)
    .join('\n')
}

/** Split a task into sentences, as a person would count them: the first 60 of its first 20,000 characters. */
export function splitSentences(task: string): string[] {
  return readWishes(task)
    .slice(0, MAX_TASK_CHARS)
    .split(/\n{2,}|\n(?=\s*[-*\d])/)
    .flatMap(paragraph => splitParagraph(paragraph.replace(/\s+/g, ' ')).map(sentence => sentence.trim()))
    .filter(sentence => /\p{L}/u.test(sentence))
    .slice(0, MAX_SENTENCES)
}

/** List the sentences, as `S2: …`, that no clause covers and that are not left out. */
export function listUncoveredSentences(contract: Contract, sentences: string[]): string[] {
  const mentioned = new Set([
    ...contract.clauses.flatMap(clause => clause.covers),
    ...contract.exclusions.map(({ sentenceId }) => sentenceId),
  ])
  return sentences.flatMap((sentence, index) => (mentioned.has(`S${index + 1}`) ? [] : [`S${index + 1}: ${sentence}`]))
}

/** List the sentences that the contract leaves out, as `S3: … (too hard)`. */
export function listExcludedSentences({ exclusions }: Contract, sentences: string[]): string[] {
  return exclusions.map(({ sentenceId, reason }) => {
    const sentence = sentences[Number(sentenceId.slice(1)) - 1] ?? 'no sentence of the task'
    return `${sentenceId}: ${sentence} (${reason})`
  })
}

/** The orchestrator's draft at the start: the grammar by example, and the numbered sentences of the task. */
export function renderContractTemplate(title: string, sentences: string[]): string {
  const numbered = sentences.map(
    (sentence, index) => `S${index + 1}  ${sentence.replaceAll('-->', '-- >').slice(0, 200)}`,
  )
  return `# Contract: ${title}

<!-- Write the clauses below this comment, like these three:

## C1 — Running the program prints the first ten Fibonacci numbers
- covers: S1
- check: \`python3 fib.py\`
- expect: exit 0
- expect: output contains \`34\`

## C2 — The README says how to run it
- covers: S2
- judged

## C3 — Nothing else is touched
- scope: \`fib.py\` \`README.md\` \`tests/**\`

A check must fail now, or have the line "- guard" (true before and after the work). Not all checks may be guards.
More fields: "- expect: output equals" with a fenced block below it, "- expect: output matches" with a regular expression
in backticks, "- limit: 60 s", "- pins: tests/**" (existing files that the check depends on; the work must not change them).
A check in which no test runs, or all are skipped, proves nothing. "- allow-skips" accepts the latter; the verdict says so.
List what you leave out under "## Not covered" as "- S4: why".

The sentences of the task:
${numbered.join('\n')}
-->
`
}

const MAX_TASK_CHARS = 20_000
const MAX_SENTENCES = 60

// --- internal ---

/** ASCII without an end of a sentence before its own end. A full stop before a small letter or a digit ends none. */
const ONE_SENTENCE = /^(?:[^.!?\x80-\u{10ffff}]|\.(?=[a-z0-9]))*[.!?]* ?$/u

/** To load the rules of all languages takes longer than to prepare the session, and most tasks are one sentence. */
function splitParagraph(paragraph: string): string[] {
  if (ONE_SENTENCE.test(paragraph)) return [paragraph]
  segmenter ??= new Intl.Segmenter('en', { granularity: 'sentence' })
  return [...segmenter.segment(paragraph)].map(({ segment }) => segment)
}

let segmenter: Intl.Segmenter | undefined
