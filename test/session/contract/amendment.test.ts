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
- limit: 60 s
- pins: \`new.sh\` \`tests/**\`

## Not covered
- S9: it is a wish
`

/** What is changed in the text above, and what that comes to: dilutions, and changes that are none. */
const table: [what: string, from: string, to: string, weaker: string[], stricter: string[]][] = [
  ['nothing', '', '', [], []],
  ['a note', '## C4', 'A note.\n\n## C4', [], []],
  ['the title', 'Contract: Fibonacci', 'Contract: Fib', [], ['the title is now "Fib"']],
  ['a clause removed', '## C4(.|\n)*## C5', '## C5', ['C4 is removed: The old tests hold'], []],
  [
    'a sentence reworded',
    'the first ten numbers',
    'some numbers',
    ['C1 says something else: It prints the first ten numbers -> It prints some numbers'],
    [],
  ],
  ['another command', 'python3 fib.py', 'echo 0 34', ['C1 runs another command: python3 fib.py -> echo 0 34'], []],
  ['an expectation less', '- expect: output contains `34`\n', '', ['C1 no longer expects: output contains "34"'], []],
  ['a pattern loosened', 'matches `\\^0`', 'matches `0`', ['C1 no longer expects: output matches /^0/'], []],
  ['another exit', 'exit 0', 'exit 1', ['C1 no longer expects: exit 0'], []],
  [
    'an expectation more',
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
    ["C1 is proved by the judge's word instead of its check"],
    [],
  ],
  [
    'judged turned into a check',
    '- judged',
    '- check: `grep run README.md`',
    [],
    ["C2 is proved by a check instead of the judge's word"],
  ],
  [
    'a check turned into a guard',
    '- expect: exit 0',
    '- expect: exit 0\n- guard',
    ['C1 is a guard now, which need not be red before the work'],
    [],
  ],
  ['a guard turned into a check', '\n- guard', '', [], ['C4 is no guard any more: it must be red before the work']],
  ['a limit', '- expect: exit 0', '- expect: exit 0\n- limit: 9 s', [], ['C1 may take 9 s at most']],
  ['less time', 'limit: 60 s', 'limit: 59 s', [], ['C5 may take 59 s at most']],
  ['the same time', 'limit: 60 s', 'limit: 1 min', [], []],
  ['more time', 'limit: 60 s', 'limit: 61 s', ['C5 may take 61 s, no longer 60 s'], []],
  ['a limit less', '- limit: 60 s\n', '', ['C5 may take as long as any check, no longer 60 s'], []],
  ['a pin less', '`new.sh` `', '`', ['C5 no longer pins new.sh'], []],
  ['no pin', '- pins: .*\n', '', ['C5 no longer pins new.sh', 'C5 no longer pins tests/**'], []],
  [
    'a pin that names less',
    '`tests/\\*\\*`',
    '`tests/*.sh`',
    ['C5 no longer pins tests/**'],
    ['C5 pins tests/*.sh now'],
  ],
  ['a pin that names more', '`new.sh` `tests/\\*\\*`', '`**`', [], ['C5 pins ** now']],
  ['a pin more', '- guard', '- guard\n- pins: test.sh', [], ['C4 pins test.sh now']],
  ['a sentence left out', '- S9', '- S3: too hard\n- S9', ['S3 of the task is left out now: too hard'], []],
  ['other words for why one is left out', 'a wish', 'a dream', [], []],
  ['one no longer left out', '- S9.*\n', '', [], []],
  [
    'a sentence covered by one clause less',
    '- covers: S1\n- check: `sh',
    '- check: `sh',
    ['C5 no longer covers S1'],
    [],
  ],
  ['a wider scope', '`README.md`', '`README.md` `docs/**`', ['the scope is wider by docs/**'], []],
  [
    'the widest scope',
    '`src/\\*\\*` `README.md`',
    '`**`',
    ['the scope is wider by **'],
    ['the scope no longer holds src/**', 'the scope no longer holds README.md'],
  ],
  [
    'a pattern that may be wider',
    '`src/\\*\\*`',
    '`s*/a`',
    ['the scope is wider by s*/a'],
    ['the scope no longer holds src/**'],
  ],
  ['a narrower scope', '`src/\\*\\*`', '`src/lib/**` `src/a.py`', [], ['the scope no longer holds src/**']],
  [
    'a scope by another clause',
    '## C4',
    '## C6 — More\n- scope: `etc`\n\n## C4',
    ['the scope is wider by etc'],
    ['C6 is new: More'],
  ],
  [
    'a scope turned into judged',
    '- scope: `src/\\*\\*` `README.md`',
    '- judged',
    ["C3 is proved by the judge's word instead of its scope", 'nothing limits any more what may be touched'],
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
    'a sentence covered by another',
    '- covers: S2\n- judged',
    '- covers: S1\n- judged',
    ['C2 no longer covers S2', 'S2 of the task is no longer covered'],
    [],
  ],
  ['one sentence more', '- covers: S2', '- covers: S2, S3', [], ['S3 of the task is covered now']],
  ['a clause more', '## C4', '## C9 — And fast\n- judged\n\n## C4', [], ['C9 is new: And fast']],
]

for (const [what, from, to, weaker, stricter] of table) {
  test(`an amendment: ${what}`, () => {
    const amended = sealed.replace(new RegExp(from), () => to)
    if (from !== '') assert.notEqual(amended, sealed)
    const [before, after] = [sealed, amended].map(text => parseContract(text, { allowsJudgedOnly: true }))
    assert.deepEqual(after?.problems, [])
    assert.ok(before && after)
    const changes = compareContracts(before.contract, after.contract)
    const words = (isWeaker: boolean) =>
      changes.filter(change => change.isWeaker === isWeaker).map(change => change.description)
    assert.deepEqual([words(true), words(false)], [weaker, stricter])
  })
}
