import { createFibonacciScenario } from '../fibonacci.ts'

export const scenario = createFibonacciScenario({
  title: 'the same in JavaScript, for a machine without python3',
  task: 'create a javascript program that prints fibonacci, plus a README',
  program: 'node',
  file: 'fib.js',
  wrongProgram: `
const count = Number(process.argv[2] ?? 10)
let [a, b] = [1, 1]
for (let number = 0; number < count; number++) {
  console.log(a)
  ;[a, b] = [b, a + b]
}
`,
  fixScript: 's/= .1, 1./= [0, 1]/',
})
