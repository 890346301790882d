import { bash, both, put, type Scenario, say, spawn } from '../scenario.ts'

const contract = `
# Contract: a Fibonacci script and its README

## C1 — Running the script prints the first ten Fibonacci numbers, one a line, beginning with 0
- covers: S1
- check: \`python3 fib.py\`
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
- check: \`python3 fib.py 3 | tail -n 1\`
- expect: output equals \`1\`

## C3 — The README tells how to run the script
- covers: S1
- check: \`cat README.md\`
- expect: output contains \`python3 fib.py\`

## C4 — Nothing else is made
- scope: \`fib.py\` \`README.md\`
`

const wrong = `
import sys

count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
a, b = 1, 1
for _ in range(count):
    print(a)
    a, b = b, a + b
`

export const scenario: Scenario = {
  title: 'one code worker, one rw worker beside it, a FAIL, a repair, PASS',
  task: 'create a python script that prints fibonacci, plus a README',
  needs: 'python3',
  orchestrator: [
    put('plan.md', '# Plan\n\nOne code worker for fib.py, one rw worker for the README at the same time. Then submit.'),
    put('contract.md', contract),
    bash('contract check'),
    both(
      spawn(
        'code --name fib --clauses C1,C2',
        'Write fib.py: print the first ten Fibonacci numbers, one a line, beginning with 0. An argument says how many.',
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
            `The judge found:\n${heard.last}\n\nMend fib.py so that the numbers begin with 0.`,
          )
        : say('There is a verdict.'),
    bash('wait-workers'),
    bash('submit'),
    heard =>
      say(
        heard.last.includes('PASS')
          ? 'It is done: fib.py and README.md lie in outputs/, and the verdict is PASS.'
          : `It did not pass: ${heard.last.slice(0, 200)}`,
      ),
  ],
  workers: {
    fib: [
      put('fib.py', wrong),
      bash('python3 fib.py | head -n 3'),
      say('fib.py prints Fibonacci numbers. I ran `python3 fib.py` and saw 1, 1, 2. C1 and C2 hold.'),
    ],
    readme: [
      heard => ({
        write: `${heard.folder}/README.md`,
        text: '# Fibonacci\n\nPrints Fibonacci numbers, one a line.\n\n    python3 fib.py       the first ten\n    python3 fib.py 20    the first twenty\n',
      }),
      say('README.md says what the script does and how to run it. C3 holds.'),
    ],
    mend: [
      bash("sed -i.old 's/a, b = 1, 1/a, b = 0, 1/' fib.py && rm fib.py.old && python3 fib.py"),
      say('The numbers begin with 0 now: `python3 fib.py` showed 0, 1, 1, 2, 3, 5, 8, 13, 21, 34.'),
    ],
  },
  ends: ['PASS'],
  show: 'python3 fib.py',
}
