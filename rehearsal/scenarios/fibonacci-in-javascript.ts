import { bash, both, put, type Scenario, say, spawn } from '../scenario.ts'

const contract = `
# Contract: a Fibonacci program and its README

## C1 — Running the script prints the first ten Fibonacci numbers, one a line, beginning with 0
- covers: S1
- check: \`node fib.js\`
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
- check: \`node fib.js 3 | tail -n 1\`
- expect: output equals \`1\`

## C3 — The README tells how to run the script
- covers: S1
- check: \`cat README.md\`
- expect: output contains \`node fib.js\`

## C4 — Nothing else is made
- scope: \`fib.js\` \`README.md\`
`

const wrong = `
const count = Number(process.argv[2] ?? 10)
let [a, b] = [1, 1]
for (let number = 0; number < count; number++) {
  console.log(a)
  ;[a, b] = [b, a + b]
}
`

export const scenario: Scenario = {
  title:
    'the same in JavaScript, for a machine without python3: one code worker, one rw worker beside it, a FAIL, a repair, PASS',
  task: 'create a javascript program that prints fibonacci, plus a README',
  needs: 'node',
  orchestrator: [
    put('plan.md', '# Plan\n\nOne code worker for fib.js, one rw worker for the README at the same time. Then submit.'),
    put('contract.md', contract),
    bash('contract check'),
    both(
      spawn(
        'code --name fib --clauses C1,C2',
        'Write fib.js: print the first ten Fibonacci numbers, one a line, beginning with 0. An argument says how many.',
      ),
      spawn(
        'rw --name readme --clauses C3 --files README.md',
        'Write README.md: what the script does and how to run it, with and without an argument.',
      ),
    ),
    bash('wait-workers'),
    bash('submit'),
    heard =>
      heard.last.includes('FAIL')
        ? spawn(
            'code --name mend --clauses C1,C2',
            `The judge found:\n${heard.last}\n\nMend fib.js so that the numbers begin with 0.`,
          )
        : say('There is a verdict.'),
    bash('wait-workers'),
    bash('submit'),
    heard =>
      say(
        heard.last.includes('PASS')
          ? 'It is done: fib.js and README.md lie in outputs/, and the verdict is PASS.'
          : `It did not pass: ${heard.last.slice(0, 200)}`,
      ),
  ],
  workers: {
    fib: [
      put('fib.js', wrong),
      bash('node fib.js | head -n 3'),
      say('fib.js prints Fibonacci numbers. I ran `node fib.js` and saw 1, 1, 2. C1 and C2 hold.'),
    ],
    readme: [
      heard => ({
        write: `${heard.folder}/README.md`,
        text: '# Fibonacci\n\nPrints Fibonacci numbers, one a line.\n\n    node fib.js       the first ten\n    node fib.js 20    the first twenty\n',
      }),
      say('README.md says what the script does and how to run it. C3 holds.'),
    ],
    mend: [
      bash("sed -i.old 's/= .1, 1./= [0, 1]/' fib.js && rm fib.js.old && node fib.js"),
      say('The numbers begin with 0 now: `node fib.js` showed 0, 1, 1, 2, 3, 5, 8, 13, 21, 34.'),
    ],
  },
  ends: ['PASS'],
  show: 'node fib.js',
}
