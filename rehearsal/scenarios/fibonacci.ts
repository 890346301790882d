import { createFibonacciScenario } from '../fibonacci.ts'

export const scenario = createFibonacciScenario({
  title: 'a code worker and an rw worker, a FAIL, a fix, PASS',
  task: 'create a python script that prints fibonacci, plus a README',
  program: 'python3',
  file: 'fib.py',
  wrongProgram: `
import sys

count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
a, b = 1, 1
for _ in range(count):
    print(a)
    a, b = b, a + b
`,
  fixScript: 's/a, b = 1, 1/a, b = 0, 1/',
})
