import { bash, combineCommands, put, type Scenario, say, spawn, write } from './scenario.ts'

/** What differs from one language to another. */
interface FibonacciVariant {
  title: string
  task: string
  /** The program that runs it, and the file that the worker writes. */
  program: string
  file: string
  /** The first attempt: it begins with 1, which the contract forbids. */
  wrongProgram: string
  /** The `sed` expression that fixes it. */
  fixScript: string
}

/** A code worker and an rw worker at the same time, a FAIL that the checks show, a fix, PASS. */
export function createFibonacciScenario(variant: FibonacciVariant): Scenario {
  const { title, task, program, file, wrongProgram, fixScript } = variant
  const command = `${program} ${file}`
  return {
    title,
    task,
    requiredProgram: program,
    orchestrator: [
      put(
        'plan.md',
        `# Plan\n\nOne code worker for ${file}, one rw worker for the README at the same time. Then submit.`,
      ),
      put('contract.md', buildContract(command, file)),
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
      context =>
        context.lastText.includes('FAIL')
          ? spawn(
              'code --name fix --clauses C1,C2',
              `The judge found:\n${context.lastText}\n\nFix ${file} so that the numbers begin with 0.`,
            )
          : say('There is a verdict.'),
      bash('wait-workers'),
      bash('submit'),
      context =>
        say(
          context.lastText.includes('PASS')
            ? `Done: ${file} and README.md are in outputs/, and the verdict is PASS.`
            : `It did not pass: ${context.lastText.slice(0, 200)}`,
        ),
    ],
    workers: {
      fib: [
        put(file, wrongProgram),
        bash(`${command} | head -n 3`),
        say(`${file} prints Fibonacci numbers. I ran \`${command}\` and saw 1, 1, 2. C1 and C2 hold.`),
      ],
      readme: [
        context =>
          write(
            `${context.folder}/README.md`,
            `# Fibonacci\n\nPrints Fibonacci numbers, one a line.\n\n    ${command}       the first ten\n    ${command} 20    the first twenty\n`,
          ),
        say('README.md says what the script does and how to run it. C3 holds.'),
      ],
      fix: [
        bash(`sed -i.old '${fixScript}' ${file} && rm ${file}.old && ${command}`),
        say(`The numbers begin with 0 now: \`${command}\` showed 0, 1, 1, 2, 3, 5, 8, 13, 21, 34.`),
      ],
    },
    endStates: ['PASS'],
    finalCommand: command,
  }
}

function buildContract(command: string, file: string): string {
  return `
# Contract: a Fibonacci script and its README

## C1 — Running the script prints the first ten Fibonacci numbers, one a line, beginning with 0
- covers: S1
- check: \`${command}\`
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
- check: \`${command} 3 | tail -n 1\`
- expect: output equals \`1\`

## C3 — The README says how to run the script
- covers: S1
- check: \`cat README.md\`
- expect: output contains \`${command}\`

## C4 — No other file is made
- scope: \`${file}\` \`README.md\`
`
}
