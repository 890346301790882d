import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareContracts, parseContract } from '#session/contract'

const sealed = `# Contract: Fibonacci

## C1 — It prints the first ten numbers
- covers: S1
- check: \`python3 fib.py\`
- expect: exit 0
- expect: output contains \`34\`
- expect: output matches \`^0\`

## C2 — The README says how to run it
- covers: S2
- judged

## C3 — Nothing else is touched
- scope: \`src/**\` \`README.md\`

## C4 — The old tests hold
- check: \`sh test.sh\`
- guard

## C5 — The new tests hold, in time
- covers: S1
- check: \`sh new.sh\`
- allow-skips
- limit: 60 s
- pins: \`new.sh\` \`tests/**\`

## Not covered
- S9: it is a wish
`

/** An edit of the contract above, the dilutions in it, and its other changes. */
const table: [title: string, from: string, to: string, weaker: string[], stricter: string[]][] = [
  ['nothing', '', '', [], []],
  ['a note', '## C4', 'A note.\n\n## C4', [], []],
  ['the title', 'Contract: Fibonacci', 'Contract: Fib', [], ['the title is now "Fib"']],
  ['a clause removed', '## C4(.|\n)*## C5', '## C5', ['C4 is removed: The old tests hold'], []],
  [
    'a sentence reworded',
    'the first ten numbers',
    'some numbers',
    ['C1 is reworded: It prints the first ten numbers -> It prints some numbers'],
    [],
  ],
  ['another command', 'python3 fib.py', 'echo 0 34', ['C1 runs another command: python3 fib.py -> echo 0 34'], []],
  [
    'one expectation removed',
    '- expect: output contains `34`\n',
    '',
    ['C1 no longer expects: output contains "34"'],
    [],
  ],
  ['a pattern loosened', 'matches `\\^0`', 'matches `0`', ['C1 no longer expects: output matches /^0/'], []],
  ['another exit code', 'exit 0', 'exit 1', ['C1 no longer expects: exit 0'], []],
  [
    'one expectation added',
    '- expect: exit 0',
    '- expect: exit 0\n- expect: output contains `21`',
    [],
    ['C1 expects more'],
  ],
  ['equals in place of contains', 'contains `34`', 'equals `34`', ['C1 no longer expects: output contains "34"'], []],
  [
    'a check turned into judged',
    '- check: `python3 fib.py`\n- expect: exit 0\n- expect: output contains `34`\n- expect: output matches `\\^0`',
    '- judged',
    ['C1 is proved by the judge instead of its check'],
    [],
  ],
  [
    'judged turned into a check',
    '- judged',
    '- check: `grep run README.md`',
    [],
    ['C2 is proved by a check instead of the judge'],
  ],
  [
    'judged turned into a guard',
    '- judged',
    '- check: `test -f README.md`\n- guard',
    ['C2 is proved by a guard instead of the judge'],
    [],
  ],
  [
    'a check turned into a guard',
    '- expect: exit 0',
    '- expect: exit 0\n- guard',
    ['C1 is now a guard, which does not have to fail before the work'],
    [],
  ],
  ['skips allowed', '\n- guard', '\n- guard\n- allow-skips', ['C4 may now skip all of its tests'], []],
  ['skips allowed no more', '- allow-skips\n', '', [], ['C5 may not skip all of its tests']],
  ['a guard turned into a check', '\n- guard', '', [], ['C4 is not a guard any more: it must fail before the work']],
  ['a limit added', '- expect: exit 0', '- expect: exit 0\n- limit: 9 s', [], ['C1 may take at most 9 s']],
  [
    'a limit added that is longer than the default',
    '- expect: exit 0',
    '- expect: exit 0\n- limit: 60 min',
    ['C1 may take 3600 s instead of 120 s'],
    [],
  ],
  ['less time', 'limit: 60 s', 'limit: 59 s', [], ['C5 may take at most 59 s']],
  ['the same time', 'limit: 60 s', 'limit: 1 min', [], []],
  ['more time', 'limit: 60 s', 'limit: 61 s', ['C5 may take 61 s instead of 60 s'], []],
  ['a limit removed', '- limit: 60 s\n', '', ['C5 may take as long as any check (120 s) instead of 60 s'], []],
  ['one pin removed', '`new.sh` `', '`', ['C5 no longer pins new.sh'], []],
  ['all pins removed', '- pins: .*\n', '', ['C5 no longer pins new.sh', 'C5 no longer pins tests/**'], []],
  [
    'a pin of fewer files',
    '`tests/\\*\\*`',
    '`tests/*.sh`',
    ['C5 no longer pins tests/**'],
    ['C5 now pins tests/*.sh'],
  ],
  ['a pin of more files', '`new.sh` `tests/\\*\\*`', '`**`', [], ['C5 now pins **']],
  ['one pin added', '- guard', '- guard\n- pins: test.sh', [], ['C4 now pins test.sh']],
  ['a sentence left out', '- S9', '- S3: too hard\n- S9', ['S3 of the task is now left out: too hard'], []],
  ['another reason for a sentence left out', 'a wish', 'a dream', [], []],
  ['a sentence no longer left out', '- S9.*\n', '', [], []],
  [
    'a sentence covered by one clause fewer',
    '- covers: S1\n- check: `sh',
    '- check: `sh',
    ['C5 no longer covers S1'],
    [],
  ],
  ['a wider scope', '`README.md`', '`README.md` `docs/**`', ['the scope now includes docs/**'], []],
  [
    'the widest scope',
    '`src/\\*\\*` `README.md`',
    '`**`',
    ['the scope now includes **'],
    ['the scope no longer includes src/**', 'the scope no longer includes README.md'],
  ],
  [
    'a glob that may be wider',
    '`src/\\*\\*`',
    '`s*/a`',
    ['the scope now includes s*/a'],
    ['the scope no longer includes src/**'],
  ],
  ['a narrower scope', '`src/\\*\\*`', '`src/lib/**` `src/a.py`', [], ['the scope no longer includes src/**']],
  [
    'a scope of another clause',
    '## C4',
    '## C6 — More\n- scope: `etc`\n\n## C4',
    ['the scope now includes etc'],
    ['C6 is new: More'],
  ],
  [
    'a scope turned into judged',
    '- scope: `src/\\*\\*` `README.md`',
    '- judged',
    ['C3 is proved by the judge instead of its scope', 'no scope limits the changed files any more'],
    [],
  ],
  [
    'a sentence no longer covered',
    '- covers: S2\n',
    '',
    ['C2 no longer covers S2', 'S2 of the task is no longer covered'],
    [],
  ],
  [
    'a clause that covers another sentence',
    '- covers: S2\n- judged',
    '- covers: S1\n- judged',
    ['C2 no longer covers S2', 'S2 of the task is no longer covered'],
    [],
  ],
  ['one more sentence covered', '- covers: S2', '- covers: S2, S3', [], ['S3 of the task is now covered']],
  ['a clause added', '## C4', '## C9 — And fast\n- judged\n\n## C4', [], ['C9 is new: And fast']],
]

for (const [title, from, to, weaker, stricter] of table) {
  test(`amendment: ${title}`, () => {
    const amended = sealed.replace(new RegExp(from), () => to)
    if (from !== '') assert.notEqual(amended, sealed)
    const [before, after] = [sealed, amended].map(text => parseContract(text, { allowsJudgedOnly: true }))
    assert.deepEqual(after?.problems, [])
    assert.ok(before && after)
    const changes = compareContracts(before.contract, after.contract, { baseFiles: [], defaultLimitSeconds: 120 })
    const describe = (isWeaker: boolean) =>
      changes.filter(change => change.isWeaker === isWeaker).map(change => change.description)
    assert.deepEqual([describe(true), describe(false)], [weaker, stricter])
  })
}

test('a bracket in a scope or a pin is compared as what it means in the base', () => {
  const write = (scope: string, pin: string) =>
    parseContract(
      `# Contract: x\n\n## C1 — a\n- check: \`t\`\n- guard\n- pins: \`${pin}\`\n\n## C2 — b\n- scope: \`${scope}\`\n`,
      { allowsJudgedOnly: true },
    ).contract
  const listWeaker = (before: [string, string], after: [string, string]) =>
    compareContracts(write(...before), write(...after), {
      baseFiles: ['app/[id]/page.tsx', 'app/i/x', 't/[a]/x'],
      defaultLimitSeconds: 120,
    })
      .filter(({ isWeaker }) => isWeaker)
      .map(({ description }) => description)
  const sealedGlobs: [string, string] = ['app/[id]/**', 't/[a]/**']
  assert.deepEqual(listWeaker(sealedGlobs, ['app/[id]/page.tsx', 't/[a]']), [])
  assert.deepEqual(listWeaker(sealedGlobs, ['app/\\[id\\]/**', 't/\\[a\\]/**']), [])
  assert.deepEqual(listWeaker(sealedGlobs, ['app/i/**', 't/a/**']), [
    'C1 no longer pins t/[a]/**',
    'the scope now includes app/i/**',
  ])
  assert.deepEqual(listWeaker(['app/[xy]/**', 't/[a]'], ['app/[xyz]/**', 't/[a]']), [
    'the scope now includes app/[xyz]/**',
  ])
})
