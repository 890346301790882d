import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Contract,
  listUncoveredSentences,
  parseContract,
  renderContractTemplate,
  splitSentences,
} from '#session/contract'
import { assertGrowsLinearly } from '../../fixtures/growth.ts'
import { createRandom } from '../../fixtures/scratch.ts'

const good = `# Contract: print ten numbers

## C1 — Running the program prints the first ten numbers
- covers: S1, S2
- check: \`python3 fib.py\`
- expect: exit 0
- expect: output contains \`34\`
- limit: 60 s
A note without a dash.

## C2 — The old tests still pass
- check: \`npm test\`
- guard

## C3 — The README says how to run it
- covers: S3
- judged

## C4 — Nothing else is touched
- scope: \`fib.py\` \`tests/**\`

## Not covered
- S4: it is a wish, not a demand
`

const read = (text: string, allowsJudgedOnly = false) => parseContract(text, { allowsJudgedOnly })

/** One clause with these lines, from line 3 on. */
const clause = (...lines: string[]) => ['# Contract: x', '## C1 — A sentence', ...lines].join('\n')

function onlyProof(text: string): Contract['clauses'][number]['proof'] {
  const { contract, problems } = read(text, true)
  assert.deepEqual(problems, [], text)
  assert.equal(contract.clauses.length, 1, text)
  return contract.clauses[0]?.proof ?? assert.fail()
}

function command(text: string): string {
  const proof = onlyProof(text)
  return proof.kind === 'check' ? proof.command : assert.fail(`a ${proof.kind}, not a check`)
}

function expectation(...lines: string[]) {
  const proof = onlyProof(clause('- check: `x`', ...lines))
  return proof.kind === 'check' ? proof.expectation : assert.fail()
}

test('a valid contract is parsed completely', () => {
  const { contract, problems } = read(good)
  assert.deepEqual(problems, [])
  assert.deepEqual(contract, {
    title: 'print ten numbers',
    clauses: [
      {
        id: 'C1',
        sentence: 'Running the program prints the first ten numbers',
        line: 3,
        covers: ['S1', 'S2'],
        proof: {
          kind: 'check',
          command: 'python3 fib.py',
          isGuard: false,
          expectation: { exitCode: 0, outputContains: ['34'], outputMatches: [] },
          timeoutSeconds: 60,
        },
      },
      {
        id: 'C2',
        sentence: 'The old tests still pass',
        line: 11,
        covers: [],
        proof: {
          kind: 'check',
          command: 'npm test',
          isGuard: true,
          expectation: { exitCode: 0, outputContains: [], outputMatches: [] },
        },
      },
      { id: 'C3', sentence: 'The README says how to run it', line: 15, covers: ['S3'], proof: { kind: 'judged' } },
      {
        id: 'C4',
        sentence: 'Nothing else is touched',
        line: 19,
        covers: [],
        proof: { kind: 'scope', globs: ['fib.py', 'tests/**'] },
      },
    ],
    exclusions: [{ sentenceId: 'S4', reason: 'it is a wish, not a demand' }],
  })
})

test('line endings, a BOM and trailing spaces change nothing', () => {
  const wanted = read(good)
  for (const [name, text] of [
    ['CRLF', good.replaceAll('\n', '\r\n')],
    ['lone CR', good.replaceAll('\n', '\r')],
    ['BOM', `\ufeff${good}`],
    ['trailing spaces', good.replaceAll('\n', '  \n')],
    ['no final newline', good.trimEnd()],
  ] as const)
    assert.deepEqual(read(text), wanted, name)
})

test('any dash may separate an id from its sentence', () => {
  for (const dash of ['—', '–', '-', ':', '.', ' - ', ' — ', '--']) {
    const { contract, problems } = read(`# x\n## C1${dash} It works\n- check: \`x\``)
    assert.deepEqual([problems, contract.clauses[0]?.sentence], [[], 'It works'], dash)
  }
})

test('a command is read exactly, however it is quoted', () => {
  const table: [string, string][] = [
    [clause('- check: `python3 fib.py`'), 'python3 fib.py'],
    [clause('- check: python3 fib.py'), 'python3 fib.py'],
    [clause('* check: `x`'), 'x'],
    [clause('   - Check: `x`'), 'x'],
    [clause('- check: ``echo `date` ``'), 'echo `date` '],
    [clause('- check: `` echo `date` ``'), 'echo `date`'],
    [clause('- check: ```x```'), 'x'],
    [clause('- check: `grep -q "a: b" -- *.md`'), 'grep -q "a: b" -- *.md'],
    [clause('- check: `printf \'%s\' "$(ls)" | wc -l; exit $?`'), 'printf \'%s\' "$(ls)" | wc -l; exit $?'],
    [clause("- check: `grep -q '<!-- footer -->' index.html`"), "grep -q '<!-- footer -->' index.html"],
    [clause("- check: `grep -c '<!--' index.html`", '## Not covered'), "grep -c '<!--' index.html"],
    [clause('- check:', '```', 'one', 'two', '```'), 'one\ntwo'],
    [clause('- check:', '  ```sh', '  if x; then', '    y', '  fi', '  ```'), 'if x; then\n  y\nfi'],
    [clause('- check:', '~~~', '```', '~~~'), '```'],
    [clause('- check:', '````', '```sh', '```', '````'), '```sh\n```'],
    [clause('- check:', '```', '```sh', '```'), '```sh'],
    [clause('- check:', '```', '<!-- kept -->', '# kept', '- judged', '```'), '<!-- kept -->\n# kept\n- judged'],
    [clause('- check:', '```', 'a\r', '', 'b', '```'), 'a\n\nb'],
  ]
  for (const [text, wanted] of table) assert.equal(command(text), wanted, text)
})

test('expectations are read exactly', () => {
  const none = { exitCode: 0, outputContains: [], outputMatches: [] }
  const table: [string[], object][] = [
    [[], none],
    [['- expect: exit 3'], { ...none, exitCode: 3 }],
    [['- expect: EXIT 255'], { ...none, exitCode: 255 }],
    [['- expect: output contains `a`', '- expect: output contains: `b`'], { ...none, outputContains: ['a', 'b'] }],
    [['- expect: output contains `“smart” – <!-- -->`'], { ...none, outputContains: ['“smart” – <!-- -->'] }],
    [['- expect: output equals `34`'], { ...none, outputEquals: '34' }],
    [['- expect: output equals', '```', '0', '1', '```'], { ...none, outputEquals: '0\n1' }],
    [['- expect: output equals', '```', '```'], { ...none, outputEquals: '' }],
    [['- expect: output matches `^\\d+$`'], { ...none, outputMatches: ['^\\d+$'] }],
    [['- expect: output contains ``a`b``'], { ...none, outputContains: ['a`b'] }],
    [['- allow-skips'], { ...none, allowsSkips: true }],
    [['- Allow-Skips', '- guard'], { ...none, allowsSkips: true }],
  ]
  for (const [lines, wanted] of table) assert.deepEqual(expectation(...lines), wanted, lines.join(' / '))
})

test('a limit is parsed into seconds', () => {
  for (const [text, seconds] of [
    ['60 s', 60],
    ['1s', 1],
    ['2 min', 120],
    ['60 minutes', 3600],
    ['90 sec', 90],
  ] as const) {
    const proof = onlyProof(clause('- check: `x`', `- limit: ${text}`))
    assert.equal(proof.kind === 'check' && proof.timeoutSeconds, seconds, text)
  }
})

test('scopes add up, with or without backticks', () => {
  for (const lines of [['- scope: `a` `b/**`'], ['- scope: a, b/**'], ['- scope: `a`', '- scope: `b/**`']])
    assert.deepEqual(onlyProof(clause(...lines)), { kind: 'scope', globs: ['a', 'b/**'] })
})

test('several "covers" lines add up', () => {
  const { contract } = read(clause('- covers: s1; S2', '- covers: S3', '- judged'), true)
  assert.deepEqual(contract.clauses[0]?.covers, ['S1', 'S2', 'S3'])
})

test('an exclusion may have any dash, and needs a reason', () => {
  const under = (line: string) => read(`${clause('- check: `x`')}\n## Not covered\nSome words.\n${line}`)
  for (const line of ['- S4: why', '- S4 — why', '* s4 - why', '+ S4 – why'])
    assert.deepEqual(under(line).contract.exclusions, [{ sentenceId: 'S4', reason: 'why' }], line)
  for (const line of ['- S4', '- S4:', '- S4, S5: why', '- the rest'])
    assert.deepEqual(
      under(line).problems.map(problem => problem.line),
      [6],
      line,
    )
})

test('comments on their own lines are ignored', () => {
  const visible = '- check: `x`'
  for (const text of [
    clause('<!-- - check: `y` -->', visible),
    clause('<!--', '- check: `y`', '## C2 — No', '-->', visible),
    clause(`<!-- a --> <!-- b --> ${visible}`),
    clause('  <!-- a', '--> ', visible),
  ])
    assert.equal(command(text), 'x', text)
})

const invalid: [title: string, text: string, line: number, message: RegExp][] = [
  ['empty', '', 0, /there is no clause/],
  ['a title only', '# Contract: x\n', 0, /there is no clause/],
  ['the unchanged template', renderContractTemplate('x', ['Do it.']), 0, /there is no clause/],
  ['no check at all', clause('- judged'), 0, /no clause has a check/],
  ['a scope instead of a check', clause('- scope: `a`'), 0, /no clause has a check/],
  ['a guard only', clause('- check: `x`', '- guard'), 0, /every check is a guard/],
  [
    'guards and other proofs',
    `${clause('- check: `x`', '- guard')}\n## C2 — b\n- check: \`y\`\n- guard\n## C3 — c\n- judged`,
    0,
    /every check is a guard/,
  ],
  ['an id with a zero', '# x\n## C01 — It works\n- check: `x`', 2, /C01 begins with a zero/],
  ['an id of zero', '# x\n## C0 — It works\n- check: `x`', 2, /C0 begins with a zero/],
  ['a guard with a no', clause('- check: `x`', '- guard: no'), 4, /"- guard" of C1 takes no value, but has "no"/],
  ['a guard with a yes', clause('- check: `x`', '- guard: yes'), 4, /takes no value/],
  [
    'skips with a value',
    clause('- check: `x`', '- allow-skips: 3'),
    4,
    /"- allow-skips" of C1 takes no value, but has "3"/,
  ],
  ['skips without a check', clause('- judged', '- allow-skips'), 4, /"- allow-skips" but no check/],
  ['skips in two words', clause('- check: `x`', '- allow skips'), 4, /"- allow skips" is not a field/],
  ['skips of another form', clause('- check: `x`', '1. allow-skips'), 4, /is not a field/],
  ['judged with a value', clause('- judged: by the tests'), 3, /"- judged" of C1 takes no value/],
  ['expect without a check', clause('- judged', '- expect: exit 0'), 4, /"- expect" but no check/],
  ['expect above the proof', clause('- expect: exit 0', '- judged'), 3, /"- expect" but no check/],
  ['expect a block without a check', clause('- judged', '- expect: output equals', '```', '1', '```'), 4, /no check/],
  ['a limit without a check', clause('- scope: `a`', '- limit: 60 s'), 4, /"- limit" but no check/],
  ['a guard without a check', clause('- scope: `a`', '- guard'), 4, /"- guard" but no check/],
  ['two exits', clause('- check: `x`', '- expect: exit 3', '- expect: exit 0'), 5, /"expect: exit" twice/],
  ['the same exit twice', clause('- check: `x`', '- expect: exit 0', '- expect: exit 0'), 5, /"expect: exit" twice/],
  [
    'two equals',
    clause('- check: `x`', '- expect: output equals `1`', '- expect: output equals', '```', '2', '```'),
    5,
    /"expect: output equals" twice/,
  ],
  ['two limits', clause('- check: `x`', '- limit: 60 s', '- limit: 5 s'), 5, /"limit" twice/],
  ['covers nothing', clause('- covers:', '- check: `x`'), 3, /"covers" of C1 is empty/],
  ['covers a range', clause('- covers: S1-S3', '- check: `x`'), 3, /has "S1-S3"/],
  ['covers with a word', clause('- covers: S1 and S2', '- check: `x`'), 3, /has "and"/],
  ['covers a bare number', clause('- covers: 1', '- check: `x`'), 3, /has "1"/],
  ['covers a clause', clause('- covers: C1', '- check: `x`'), 3, /has "C1"/],
  ['covers a number with a zero', clause('- covers: S01', '- check: `x`'), 3, /has "S01"/],
  ['heading: three marks', '# x\n### C1 — It works\n- check: `x`', 2, /heading/],
  ['heading: one mark', '# x\n# C1 — It works\n- check: `x`', 2, /heading/],
  ['heading: no id', '# x\n## It works\n- check: `x`', 2, /heading/],
  ['heading: the word Clause', '# x\n## Clause 1 — It works\n- check: `x`', 2, /heading/],
  ['heading: lower case', '# x\n## c1 — It works\n- check: `x`', 2, /heading/],
  ['heading: no dash', '# x\n## C1 It works\n- check: `x`', 2, /heading/],
  ['heading: no sentence', '# x\n## C1\n- check: `x`', 2, /heading/],
  ['heading: a dash, no sentence', '# x\n## C1 — \n- check: `x`', 2, /heading/],
  ['heading: no blank', '# x\n##C1 — It works\n- check: `x`', 2, /heading/],
  ['heading: a letter', '# x\n## CA — It works\n- check: `x`', 2, /heading/],
  ['heading: bold', '# x\n## **C1** — It works\n- check: `x`', 2, /heading/],
  ['heading: a second title', `${clause('- check: `x`')}\n# More`, 4, /heading/],
  ['heading: a section of prose', `${clause('- check: `x`')}\n## Notes`, 4, /heading/],
  ['smart quotes', clause('- check: `python3 -c “print(1)”`'), 3, /“.*U\+201C/],
  ['a smart apostrophe', clause('- check: `echo it’s`'), 3, /U\+2019/],
  ['an en dash', clause('- check: `ls –l`'), 3, /U\+2013/],
  ['a no-break space', clause('- check: `ls\u00a0-l`'), 3, /U\+00A0/],
  ['smart quotes in a block', clause('- check:', '```', 'a', 'echo “b”', '```', '- expect: exit 0'), 3, /U\+201C/],
  ['an empty check', clause('- check:'), 3, /empty/],
  ['an empty span', clause('- check: ``'), 3, /not one piece of code/],
  ['a blank span', clause('- check: ` `'), 3, /empty/],
  ['an empty block', clause('- check:', '```', '', '```'), 3, /empty/],
  ['text after the code', clause('- check: `python3 fib.py` prints 34'), 3, /not one piece of code/],
  ['a comment after the code', clause('- check: `python3 fib.py` <!-- why -->'), 3, /not one piece of code/],
  ['two pieces of code', clause('- check: `a` && `b`'), 3, /not one piece of code/],
  ['unequal backticks', clause('- check: ``a`'), 3, /not one piece of code/],
  ['a fence on the line of the check', clause('- check: ```sh', 'x', '```'), 3, /not one piece of code/],
  ['two checks', clause('- check: `a`', '- check: `b`'), 4, /two checks/],
  ['two proofs: check and judged', clause('- check: `a`', '- judged'), 2, /more than one proof: check and judged$/],
  ['two proofs: check and scope', clause('- check: `a`', '- scope: `b`'), 2, /more than one proof: check and scope$/],
  ['three proofs', clause('- check: `a`', '- scope: `b`', '- judged'), 2, /check and judged and scope/],
  ['no proof', clause('A note.'), 2, /C1 has no proof/],
  ['the same id twice', `${clause('- check: `x`')}\n## C1 — Again\n- judged`, 4, /C1 is used twice/],
  ['an open fence', clause('- check:', '```', 'x', '## C2 — Lost', '- judged'), 3, /not closed/],
  ['an open fence outside of a field', clause('- check: `x`', '```', 'x'), 4, /not closed/],
  ['an open comment', clause('- check: `x`', '<!-- and so', '## C2 — Lost', '- judged'), 4, /comment is not closed/],
  ['expect without backticks', clause('- check: `x`', '- expect: output contains 34'), 4, /not understood/],
  ['expect two things', clause('- check: `x`', '- expect: exit 0 and output contains `34`'), 4, /not understood/],
  ['expect two texts', clause('- check: `x`', '- expect: output contains `3` and `4`'), 4, /not understood/],
  ['expect nothing', clause('- check: `x`', '- expect:'), 4, /not understood/],
  ['expect an empty text', clause('- check: `x`', '- expect: output contains', '```', '```'), 4, /not understood/],
  ['expect an impossible exit code', clause('- check: `x`', '- expect: exit 256'), 4, /not understood/],
  ['an invalid pattern', clause('- check: `x`', '- expect: output matches `(`'), 4, /not a regular expression/],
  ['a limit without a unit', clause('- check: `x`', '- limit: 60'), 4, /limit "60"/],
  ['a limit of zero', clause('- check: `x`', '- limit: 0 s'), 4, /limit "0 s"/],
  ['a limit of years', clause('- check: `x`', '- limit: 99999999999 min'), 4, /limit/],
  ['an empty scope', clause('- scope:'), 3, /"scope" of C1 is empty/],
  ['an absolute scope', clause('- scope: `/etc/**`'), 3, /has "\/etc\/\*\*"/],
  ['a scope with ..', clause('- scope: `src/../../x`'), 3, /has "src/],
  [
    'pins in and out of backticks',
    clause('- check: `x`', '- pins: tests/** `conftest.py`'),
    4,
    /"pins" of C1 has "tests\/\*\*" outside of backticks/,
  ],
  [
    'a scope in and out of backticks',
    clause('- scope: `README.md`, src/**'),
    3,
    /"scope" of C1 has "src\/\*\*" outside/,
  ],
  ['empty pins', clause('- check: `x`', '- pins:'), 4, /"pins" of C1 is empty/],
  ['an absolute pin', clause('- check: `x`', '- pins: `/etc/x`'), 4, /"pins" of C1 has "\/etc\/x"/],
  ['a pin with ..', clause('- check: `x`', '- pins: `../x`'), 4, /"pins" of C1 has/],
  ['pins without a check', clause('- judged', '- pins: `x`'), 4, /"- pins" but no check/],
  ['pins without a dash', clause('- check: `x`', 'pins: `x`'), 4, /pins: `x`/],
  ['numbered pins', clause('- check: `x`', '1. pins `x`'), 4, /1\. pins/],
  ['pathspec magic in a scope', clause('- scope: `:(top)x`'), 3, /"scope" of C1 has/],
  ['a scope with a backslash', clause('- scope: `a\\b`'), 3, /"scope" of C1 has/],
  ['an unknown field', clause('- chekc: `x`'), 3, /"- chekc"/],
  ['an unknown field without value', clause('- check: `x`', '- please be nice'), 4, /"- please be nice"/],
  ['a note with a dash', clause('- check: `x`', '- It should print 34, too.'), 4, /It should print 34/],
  ['a field without a space', clause('- check: `x`', '-expect: exit 1'), 4, /-expect: exit 1/],
  ['a field with a plus', clause('- check: `x`', '+ expect: exit 1'), 4, /\+ expect: exit 1/],
  ['a field without a dash', clause('- check: `x`', 'expect: exit 1'), 4, /expect: exit 1/],
  ['a bold field', clause('- check: `x`', '- **expect:** exit 1'), 4, /expect/],
  ['a deeply indented field', clause('- check: `x`', '      - expect: exit 1'), 4, /expect: exit 1/],
  ['a numbered field', clause('- check: `x`', '1. expect: exit 3'), 4, /1\. expect: exit 3/],
  ['a numbered field in bold', clause('- check: `x`', '2) **Guard**'), 4, /Guard/],
  ['a numbered field without a colon', clause('- check: `x`', '1. expect exit 3'), 4, /1\. expect exit 3/],
  ['a field with a bullet', clause('- check: `x`', '• scope: `a`'), 4, /• scope/],
  ['a field with a long dash', clause('- check: `x`', '— guard'), 4, /— guard/],
  ['a field in a quotation', clause('- check: `x`', '> expect: exit 3'), 4, /> expect: exit 3/],
  ['a field without a colon', clause('- check: `x`', '- expect output contains 5'), 4, /expect output contains 5/],
  ['a field without dash or colon', clause('- check: `x`', 'expect exit 3'), 4, /expect exit 3/],
  ['a bare guard', clause('- check: `x`', 'guard'), 4, /guard/],
  ['a NUL byte', clause('- check: `x\0y`'), 3, /NUL/],
]

test('every problem has its line, a message and a remedy', () => {
  for (const [name, text, line, message] of invalid) {
    const { problems } = read(text)
    const match = problems.find(problem => message.test(problem.message))
    assert.ok(match, `${name}: ${JSON.stringify(problems)}`)
    assert.equal(match.line, line, `${name}: ${match.message}`)
    for (const problem of problems) {
      assert.match(problem.message, /\p{L}{2,} .*\p{L}{2,}/u, name)
      assert.match(problem.remedy, /^\p{Lu}.*\p{L}{2,} .*\p{L}{2,}/u, name)
      assert.ok(problem.line <= text.split('\n').length, `${name}: a line after the end`)
    }
  }
})

test('a note may begin with any word', () => {
  for (const note of [
    'Check that it runs twice.',
    'We expect: nothing else.',
    'The scope: see below.',
    '1. First it is built.',
    '2) checks are cheap',
    '> quoted',
    'Limits apply',
    'Expect no more than that.',
    '34',
  ])
    assert.equal(command(clause('- check: `x`', note)), 'x', note)
})

test('no check is needed with --allow-judged-only', () => {
  assert.deepEqual(read(clause('- judged'), true).problems, [])
  assert.deepEqual(read(clause('- check: `x`', '- guard'), true).problems, [])
})

test('all problems are listed at once, in the order of the lines', () => {
  const { problems } = read('# x\n## No\n## C1 — a\n- nope: 1\n- limit: 2\n## C1 — b\n- check:\n')
  assert.deepEqual(
    problems.map(problem => problem.line),
    [0, 2, 3, 4, 5, 6, 7],
  )
})

test('the cost of a hostile line grows with its length, not with its square', () => {
  const lines: ((size: number) => string)[] = [
    size => `- a${' '.repeat(size)}!`,
    size => `- check: ${'`'.repeat(size)}x`,
    size => `- check: ${'` '.repeat(size / 2)}x`,
    size => `- scope: ${'`a'.repeat(size / 2)}`,
    size => `- expect: output${' '.repeat(size)}!`,
    size => `## C2${'-'.repeat(size)}`,
    size => `## C2${' '.repeat(size)}`,
    size => '<!--'.repeat(size / 4),
    size => '<!-- -->'.repeat(size / 8),
    size => '- a '.repeat(size / 4),
    size => '*'.repeat(size),
    size => `- S1${' '.repeat(size)}`,
    size => `${'1'.repeat(size)} expect`,
    size => `1. ${'*'.repeat(size)}`,
    size => `expect${' '.repeat(size)}!`,
    size => `expect${'_'.repeat(size)}!`,
    size => `- covers: ${'S1 '.repeat(size / 3)}`,
  ]
  for (const createLine of lines)
    assertGrowsLinearly(createLine(32), 256 * 1024, size => {
      const line = createLine(size)
      read(`${clause('- check: `x`', line)}\n## Not covered\n${line}`)
    })
})

test('2,000 mutations never throw, and each problem is in the file', () => {
  const random = createRandom(20261120)
  const pick = <Item>(items: Item[]): Item => items[Math.floor(random() * items.length)] as Item
  const fragments = [
    '```',
    '~~~',
    '<!--',
    '-->',
    '`',
    '``',
    '## ',
    '## C1 — x',
    '- ',
    ':',
    '“',
    '\0',
    '\r',
    '\n',
    '\ufeff',
  ]
  fragments.push(
    '- check:',
    '- expect: output equals',
    '- scope: ',
    '## Not covered',
    '- S1: x',
    '\ud800',
    '(',
    '\t',
    '#',
  )
  const mutations: ((text: string, at: number, length: number) => string)[] = [
    (text, at, length) => text.slice(0, at) + text.slice(at + length),
    (text, at) => text.slice(0, at) + pick(fragments) + text.slice(at),
    (text, at, length) => text.slice(0, at) + text.slice(at, at + length).repeat(3) + text.slice(at + length),
    (text, at) => text.slice(0, at),
    (text, at, length) => text.slice(at, at + length) + text,
    text => text.split('\n').reverse().join('\n'),
  ]
  for (let round = 0; round < 2000; round++) {
    let text = good
    for (let times = 1 + Math.floor(random() * 4); times > 0; times--)
      text = pick(mutations)(text, Math.floor(random() * text.length), Math.floor(random() * 30))
    const { contract, problems } = read(text)
    const lines = text.split(/\r\n?|\n/).length
    for (const { line } of problems) assert.ok(line >= 0 && line <= lines, JSON.stringify(text))
    assert.ok(
      problems.length > 0 || contract.clauses.some(({ proof }) => proof.kind === 'check' && !proof.isGuard),
      JSON.stringify(text),
    )
  }
})

test('a task is split into sentences as a person would', () => {
  const table: [string, string[]][] = [
    ['Print it. Then stop!', ['Print it.', 'Then stop!']],
    ['- one\n- two\n3 three', ['- one', '- two', '3 three']],
    ['a line\nthat goes on.\n\nAnother.', ['a line that goes on.', 'Another.']],
    ['Use fib.py (v2.0), e.g. here.', ['Use fib.py (v2.0), e.g. here.']],
    ['!!! 123 …', []],
    ['', []],
  ]
  for (const [task, wanted] of table) assert.deepEqual(splitSentences(task), wanted, task)
  assert.equal(splitSentences('Do it. '.repeat(1000)).length, 60)
  assert.equal(splitSentences('x'.repeat(1024 * 1024)).length, 1)
})

test('a task of one sentence is found without the rules of all languages, and as they find it', () => {
  const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
  const pieces = [
    'fix',
    'Fix',
    'U.S',
    'e.g',
    '.',
    '.',
    '!',
    '?',
    ' ',
    ' ',
    '3',
    ')',
    '"',
    ',',
    ':',
    'é',
    '。',
    '…',
    '\u2028',
    '-',
    '(',
  ]
  const random = createRandom(7)
  for (let round = 0; round < 5000; round++) {
    const text = Array.from(
      { length: 1 + Math.floor(random() * 9) },
      () => pieces[Math.floor(random() * pieces.length)],
    )
      .join('')
      .replace(/\s+/g, ' ')
    if (/^[-*\d\s]|\s[-*\d]/.test(text)) continue
    const wanted = [...segmenter.segment(text)].map(({ segment }) => segment.trim()).filter(each => /\p{L}/u.test(each))
    assert.deepEqual(splitSentences(text), wanted, JSON.stringify(text))
  }
})

test('a sentence is uncovered until a clause or an exclusion names it', () => {
  const { contract } = read(good)
  const sentences = ['One.', 'Two.', 'Three.', 'Four.', 'Five.']
  assert.deepEqual(listUncoveredSentences(contract, sentences), ['S5: Five.'])
  assert.equal(listUncoveredSentences({ ...contract, clauses: [] }, sentences).length, 4)
})

test('the template has no clause, whatever the task says', () => {
  const hostile = ['x --> ## C1 — y', '<!-- z', '```', '- check: `true`', '“q”', '-->']
  for (const title of ['x', '<!-- x', '--> x', '## C1 — x', '```']) {
    const template = renderContractTemplate(title, hostile)
    assert.deepEqual(
      read(template).problems.map(({ line }) => line),
      [0],
      title,
    )
    const { contract, problems } = read(`${template}\n## C1 — It works\n- check: \`x\`\n`)
    assert.deepEqual([problems, contract.clauses.length], [[], 1], title)
  }
})

test('a field above the first clause is a problem, one below a wrong heading is not', () => {
  const { problems } = read('# Contract: x\n- check: `true`\n- a note\n\n## C1 — A sentence\n- check: `false`')
  assert.deepEqual(
    problems.map(({ line, message }) => [line, message]),
    [[2, '"- check" is above the first clause']],
  )
  const wrong = read('# Contract: x\n## Clause 1\n- check: `false`').problems
  assert.deepEqual(
    wrong.filter(({ line }) => line === 3),
    [],
  )
})

test('pins are paths and globs on one or more lines', () => {
  const pins = (...lines: string[]) => {
    const proof = onlyProof(clause('- check: `x`', ...lines))
    return proof.kind === 'check' ? proof.pins : assert.fail()
  }
  assert.deepEqual(pins('- pins: `test.sh` `tests/**`'), ['test.sh', 'tests/**'])
  assert.deepEqual(pins('- pins: test.sh, tests', '- guard', '- pins: `a b`'), ['test.sh', 'tests', 'a b'])
  assert.equal(pins(), undefined)
})
