import { toOneLine } from '#host/text.ts'
import type { Contract, ContractProblem } from './clause.ts'
import { matchesGlob } from './glob.ts'
import { scanContract } from './parser.ts'

/** Read a contract. Either it parses whole, or every problem is listed at once. */
export function parseContract(
  text: string,
  options: { allowsJudgedOnly: boolean },
): { contract: Contract; problems: ContractProblem[] } {
  const { contract, problems } = scanContract(text)
  const { clauses } = contract
  const checks = clauses.flatMap(({ proof }) => (proof.kind === 'check' ? [proof] : []))
  const say = (line: number, message: string, remedy: string) => problems.push({ line, message, remedy })
  const nul = text.indexOf('\0')
  if (nul >= 0)
    say(text.slice(0, nul).split('\n').length, 'there is a NUL byte', 'A contract is text: type the line again.')
  if (clauses.length === 0)
    say(
      0,
      'there is no clause',
      'Write at least one: `## C1 — one sentence that can be seen to be true`, then `- check:` with a command.',
    )
  else if (!options.allowsJudgedOnly && checks.length === 0)
    say(
      0,
      'no clause has a check, so nothing in this contract can be proved by running it',
      'Give at least one clause `- check:` with a command. If really nothing can be run, ask the human: they must allow it (`dispatch --allow-judged-only`).',
    )
  else if (!options.allowsJudgedOnly && checks.every(check => check.isGuard))
    say(
      0,
      'every check is a guard, so nothing in this contract shows that anything was made',
      'Give at least one clause a check that fails now and is green once the work is done, without the line "- guard".',
    )
  for (const [at, clause] of clauses.entries()) {
    if (clauses.findIndex(other => other.id === clause.id) !== at)
      say(clause.line, `${clause.id} stands twice`, 'Number the clauses C1, C2, C3 … each once.')
  }
  return { contract, problems: problems.sort((a, b) => a.line - b.line) }
}

/** `contract.md line 7: … / mend: …`, one problem a paragraph. */
export function describeProblems(problems: ContractProblem[]): string {
  return problems
    .map(({ line, message, remedy }) => `${line > 0 ? `line ${line}` : 'whole file'}: ${message}\n  mend: ${remedy}`)
    .join('\n')
}

/** The sentences of a task, as a person would count them; code and very long tasks are cut off at 60. */
export function splitSentences(task: string): string[] {
  const segments = new Intl.Segmenter('en', { granularity: 'sentence' })
  return task
    .slice(0, 20_000)
    .split(/\n{2,}|\n(?=\s*[-*\d])/)
    .flatMap(paragraph => [...segments.segment(paragraph.replace(/\s+/g, ' '))].map(({ segment }) => segment.trim()))
    .filter(sentence => /\p{L}/u.test(sentence))
    .slice(0, 60)
}

/** Which sentences (`S2: "…"`) no clause covers and no line leaves out. */
export function listUncoveredSentences(contract: Contract, sentences: string[]): string[] {
  const named = new Set([
    ...contract.clauses.flatMap(clause => clause.covers),
    ...contract.exclusions.map(({ sentenceId }) => sentenceId),
  ])
  return sentences.flatMap((sentence, index) => (named.has(`S${index + 1}`) ? [] : [`S${index + 1}: ${sentence}`]))
}

/** What a work is, as git shows it: the files that stood before it, and each path that it touched. */
export interface WorkDiff {
  baseFiles: string[]
  changes: { path: string; change: 'added' | 'changed' | 'removed' }[]
}

/** How the work, or the contract itself, breaks what a check pins; undefined while all of it is as it was. Pure. */
export function describeBrokenPins(pins: string[], { baseFiles, changes }: WorkDiff): string | undefined {
  const hit = changes.filter(({ path }) => pins.some(pin => matchesGlob(pin, path)))
  if (hit.length > 0) {
    const [did, are, them] = hit.length === 1 ? [hit[0]?.change, 'is', 'it'] : ['changed', 'are', 'them']
    return `${quoted(hit.map(({ path }) => path))} ${are} pinned, and the work ${did} ${them}`
  }
  const absent = pins.find(pin => !baseFiles.some(file => matchesGlob(pin, file)))
  return absent === undefined ? undefined : `${quoted([absent])} is pinned, and no file before the work is named so`
}

/** What is to be said of a check whose command names a file that stood before the work and that the work changed. Pure. */
export function describeChangedCheckFiles(command: string, { changes }: Pick<WorkDiff, 'changes'>): string | undefined {
  const words = new Set(command.split(/[\s;&|()<>'"`=]+/).map(word => word.replace(/^(\.\/+)+/, '')))
  const named = changes.filter(({ path, change }) => change !== 'added' && words.has(path)).map(({ path }) => path)
  return named.length === 0 ? undefined : `by ${quoted(named)}, which the work itself changed`
}

/** What lies on the desk at the start: the grammar by example, and the task's sentences by number. */
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

A check must fail on the tree as it is now, or carry the line "- guard" (true before and after). Not all may be guards.
More: "- expect: output equals" with a fenced block below it, "- expect: output matches" with a regular expression in
backticks, "- limit: 60 s", "- pins: tests/**" (files that the check rests on, and that the work may not change). What you
leave out goes under "## Not covered" as "- S4: why".

The sentences of the task:
${numbered.join('\n')}
-->
`
}

function quoted(files: string[]): string {
  const more = files.length > 8 ? ` and ${files.length - 8} more` : ''
  return `${files
    .slice(0, 8)
    .map(file => `\`${toOneLine(file, 200)}\``)
    .join(', ')}${more}`
}
