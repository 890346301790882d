import { bash, put, type Scenario, say, spawn, write } from '#rehearsal/scenario.ts'
import { capitalize, createOpeningTurns, quantities } from './quantities.ts'

/** The same tool in TypeScript: fifty files, a tarball as dependency, tests, and instructions for agents. */
export function typescriptProject(): Record<string, string> {
  const modules = Object.entries(quantities).flatMap(([name, units]) => [
    [`src/${name}.ts`, quantityModule(name, units)],
    [`test/${name}.test.ts`, quantityTest(name, units)],
  ])
  return {
    ...Object.fromEntries(modules),
    'README.md': readme(),
    'AGENTS.md': instructions,
    LICENSE: 'Do what you like with it.\n',
    '.gitignore': 'node_modules/\n',
    'package.json': `${JSON.stringify(
      {
        name: 'units',
        version: '1.0.0',
        private: true,
        type: 'module',
        scripts: { test: "node --test 'test/*.test.ts'" },
        dependencies: { 'roman-numbers': 'file:third_party/roman-numbers-1.0.0.tgz' },
      },
      null,
      2,
    )}\n`,
    'third_party/roman-numbers/package.json':
      '{ "name": "roman-numbers", "version": "1.0.0", "type": "module", "main": "index.js" }\n',
    'third_party/roman-numbers/index.js': roman,
    'src/quantity.ts': quantityClass,
    'src/catalog.ts': catalog,
    'src/cli.ts': cli,
    'src/main.ts': "import { main } from './cli.ts'\n\nprocess.exitCode = main(process.argv.slice(2))\n",
    'test/cli.test.ts': cliTest,
    'docs/adding-a-quantity.md': 'Write a module like `src/length.ts`, add it to `src/catalog.ts`, write a test.\n',
    'docs/releases.md': '## 1.0\n\nFirst release.\n',
    'docs/adr/0001-no-build.md': 'Node runs TypeScript as it is written.\n',
    '.editorconfig': 'root = true\n[*]\nindent_style = space\nindent_size = 2\n',
    '.claude/settings.json': '{ "hooks": { "Stop": [{ "hooks": [{ "type": "command", "command": "say done" }] }] } }\n',
    '.claude/agents/reviewer.md': 'You review.\n',
  }
}

/** Run once in the files before the first commit: it makes the tarball, and the lock file with its hash. */
export const typescriptBuild =
  '(cd third_party && npm pack --silent ./roman-numbers >/dev/null) && npm install --package-lock-only --offline --no-audit --no-fund --silent'

export const typescriptTask =
  'Add a command `node src/main.ts list` that prints every quantity, sorted, each with the number of its units as a Roman numeral. Say so in the README.'

const contract = `
# Contract: list the quantities

## C1 — \`node src/main.ts list\` prints every quantity, sorted, with the number of its units as a Roman numeral
- covers: S1
- check: \`node src/main.ts list\`
- expect: output contains \`length IV\`
- expect: output matches \`^angle III$\`

## C2 — The list has a test, and it passes
- check: \`node --test test/list.test.ts\`

## C3 — All existing tests still pass
- check: \`npm test\`
- guard

## C4 — The README describes the new command
- covers: S2
- check: \`cat README.md\`
- expect: output contains \`main.ts list\`

## C5 — No other file is changed
- scope: \`src/cli.ts\` \`test/list.test.ts\` \`README.md\`
`

export const typescriptScenario: Scenario = {
  title: 'a TypeScript project',
  task: typescriptTask,
  workers: {
    list: [
      put('test/list.test.ts', listTest()),
      bash(`node - <<'EDIT'
const fs = require('fs')
const text = fs.readFileSync('src/cli.ts', 'utf8')
  .replace("import { find } from './catalog.ts'", "import { roman } from 'roman-numbers'\\nimport { find, quantities } from './catalog.ts'")
  .replace("  if (words.length !== 4", "  if (words.join() === 'list') {\\n    for (const name of Object.keys(quantities).sort()) console.log(name, roman(Object.keys(quantities[name].units).length))\\n    return 0\\n  }\\n  if (words.length !== 4")
fs.writeFileSync('src/cli.ts', text)
EDIT
node src/main.ts list && npm test`),
      say(
        '`node src/main.ts list` prints 15 lines, from "angle III" to "volume III". I ran it, and all tests. C1, C2 and C3 hold.',
      ),
    ],
    retry: [
      context =>
        write(
          `${context.folder}/README.md`,
          `${readme()}\n## List the quantities\n\n    node src/main.ts list\n\nprints every quantity with the number of its units, in Roman numerals.`,
        ),
      say('The README has a section on `node src/main.ts list` now. C4 holds.'),
    ],
    readme: [say('The README describes the new command. C4 holds.')],
  },
  orchestrator: [
    ...createOpeningTurns(contract),
    spawn(
      'code --name list --clauses C1,C2,C3',
      'Add `list` to src/cli.ts, with a test in test/list.test.ts. The numerals come from roman-numbers.',
    ),
    spawn('rw --name readme --clauses C4 --files README.md', 'Add a section on `node src/main.ts list` to README.md.'),
    bash('wait-workers'),
    bash('submit'),
    spawn(
      'rw --name retry --clauses C4 --files README.md',
      'C4 is red: README.md does not mention `node src/main.ts list`. Add a section on it.',
    ),
    bash('wait-workers'),
    bash('submit'),
    context => say(`The list is done and judged: ${context.lastText.split('\n')[0]}`),
  ],
  endStates: ['PASS'],
}

// --- the files ---

function quantityModule(name: string, units: Record<string, number>): string {
  const table = Object.entries(units).map(([unit, factor]) => `  ${unit}: ${factor},\n`)
  return `import { quantity } from './quantity.ts'\n\nexport const ${name} = quantity('${name}', {\n${table.join('')}})\n`
}

function quantityTest(name: string, units: Record<string, number>): string {
  const [first = ''] = Object.keys(units)
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ${name} } from '../src/${name}.ts'

test('${name}: there and back', () => {
  for (const unit of ${JSON.stringify(Object.keys(units))}) {
    const there = ${name}.convert(5, '${first}', unit)
    assert.ok(Math.abs(${name}.convert(there, unit, '${first}') - 5) < 1e-9, unit)
  }
})

test('${capitalize(name)} has ${Object.keys(units).length} units', () => {
  assert.equal(Object.keys(${name}.units).length, ${Object.keys(units).length})
})
`
}

function listTest(): string {
  return `import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('every quantity is listed in order', () => {
  const lines = execFileSync(process.execPath, ['src/main.ts', 'list'], { encoding: 'utf8' }).trim().split('\\n')
  assert.deepEqual(lines, [...lines].sort())
  assert.equal(lines.length, ${Object.keys(quantities).length})
})`
}

const quantityClass = `/** A quantity: its units, each as a multiple of the first. */
export function quantity(name: string, units: Record<string, number>) {
  return {
    name,
    units,
    convert: (amount: number, from: string, to: string) => (amount * (units[from] ?? NaN)) / (units[to] ?? NaN),
  }
}
`

const catalog = `${Object.keys(quantities)
  .map(name => `import { ${name} } from './${name}.ts'\n`)
  .join('')}
/** Every quantity, by its name. */
export const quantities: Record<string, typeof length> = { ${Object.keys(quantities).join(', ')} }

export function find(from: string, to: string) {
  return Object.values(quantities).find(({ units }) => from in units && to in units)
}
`

const cli = `import { find } from './catalog.ts'

/** The command line: 5 km to mile. */
export function main(words: string[]): number {
  if (words.length !== 4 || words[2] !== 'to') {
    console.log('usage: node src/main.ts AMOUNT UNIT to UNIT')
    return 2
  }
  const [amount = '', from = '', , to = ''] = words
  const quantity = find(from, to)
  if (!quantity) {
    console.log(\`no quantity has both \${from} and \${to}\`)
    return 1
  }
  console.log(quantity.convert(Number(amount), from, to))
  return 0
}
`

const cliTest = `import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('a conversion is printed', () => {
  const said = execFileSync(process.execPath, ['src/main.ts', '5', 'km', 'to', 'm'], { encoding: 'utf8' })
  assert.equal(said, '5000\\n')
})
`

const roman = `/** Roman numerals. */
export function roman(number) {
  let text = ''
  for (const [value, sign] of [[10, 'X'], [9, 'IX'], [5, 'V'], [4, 'IV'], [1, 'I']])
    for (; number >= value; number -= value) text += sign
  return text
}
`

function readme(): string {
  return `# units

Convert between units on the command line.

    npm ci
    node src/main.ts 5 km to mile

Tests: \`npm test\`.
`
}

const instructions = `# Working on units

- No dependency besides those in package.json, and no build step.
- A new command lives in src/cli.ts and has a test of its own.
- Tests are plain node:test; run them with \`npm test\`.
`
