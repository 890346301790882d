import { bash, combineCommands, put, type Scenario, say, spawn } from './scenario.ts'
/** What differs from one language to another. */
export interface FibonacciVariant {
  title: string
  task: string
  /** The program that runs it, and the file that the worker writes. */
  program: string
  file: string
  /** The first try: it begins with 1, and so breaks the contract. */
  wrongProgram: string
  /** The `sed` expression that mends it. */
  fixScript: string
}

/** One code worker, one rw worker beside it, a FAIL that our own evidence gives, a repair, PASS. */
export function createFibonacciScenario({
  title,
  task,
  program,
  file,
  wrongProgram,
  fixScript,
}: FibonacciVariant): Scenario {
  const start = `${program} ${file}`
  return {
    title,
    task,
    requiredProgram: program,
    orchestrator: [
      put(
        'plan.md',
        `# Plan\n\nOne code worker for ${file}, one rw worker for the README at the same time. Then submit.`,
      ),
      put('contract.md', buildContract(start, file)),
      bash('contract check'),
      combineCommands(
        spawn(
          'code --name fib --clauses C1,C2',
          `Write ${file}: print the first ten Fibonacci numbers, one a line, beginning with 0. An argument says how many.`,
        ),
        spawn(
          'rw --name readme --clauses C3 --files README.md',
          'Write README.md: what the script does and how to run it, with and without an argument.',
        ),
      ),
      bash('wait-workers'),
      bash('submit'),
      heard =>
        heard.lastText.includes('FAIL')
          ? spawn(
              'code --name mend --clauses C1,C2',
              `The judge found:\n${heard.lastText}\n\nMend ${file} so that the numbers begin with 0.`,
            )
          : say('There is a verdict.'),
      bash('wait-workers'),
      bash('submit'),
      heard =>
        say(
          heard.lastText.includes('PASS')
            ? `It is done: ${file} and README.md lie in outputs/, and the verdict is PASS.`
            : `It did not pass: ${heard.lastText.slice(0, 200)}`,
        ),
    ],
    workers: {
      fib: [
        put(file, wrongProgram),
        bash(`${start} | head -n 3`),
        say(`${file} prints Fibonacci numbers. I ran \`${start}\` and saw 1, 1, 2. C1 and C2 hold.`),
      ],
      readme: [
        heard => ({
          write: `${heard.folder}/README.md`,
          text: `# Fibonacci\n\nPrints Fibonacci numbers, one a line.\n\n    ${start}       the first ten\n    ${start} 20    the first twenty\n`,
        }),
        say('README.md says what the script does and how to run it. C3 holds.'),
      ],
      mend: [
        bash(`sed -i.old '${fixScript}' ${file} && rm ${file}.old && ${start}`),
        say(`The numbers begin with 0 now: \`${start}\` showed 0, 1, 1, 2, 3, 5, 8, 13, 21, 34.`),
      ],
    },
    endStates: ['PASS'],
    shownFile: start,
  }
}

function buildContract(start: string, file: string): string {
  return `
# Contract: a Fibonacci script and its README

## C1 — Running the script prints the first ten Fibonacci numbers, one a line, beginning with 0
- covers: S1
- check: \`${start}\`
- expect: output equals
  \`\`\`
  0
  1
  1
  2
  3
  5
  8
  13
  21
  34
  \`\`\`

## C2 — A number as argument says how many are printed
- covers: S1
- check: \`${start} 3 | tail -n 1\`
- expect: output equals \`1\`

## C3 — The README tells how to run the script
- covers: S1
- check: \`cat README.md\`
- expect: output contains \`${start}\`

## C4 — Nothing else is made
- scope: \`${file}\` \`README.md\`
`
}
