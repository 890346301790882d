import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '#host/hash.ts'
import { EvidenceRecord, type VerdictRecord } from '#session/evidence'
import type { Event, EventBody } from '#session/log'
import { computeStatus } from '#session/status'
import { renderMatrix, voidMatrix } from '#session/traceability'
import { MAX_COMMENT_CHARS } from '#session/traceability/markdown.ts'
import { buildMatrix, type MatrixInput } from '#session/traceability/matrix.ts'

const task = 'Let people log in. Say why it failed. Make it pretty. Keep the old addresses.'
const contractText = `# Contract: the login

## C1 — A right password lets in
- covers: S1
- check: \`npm test -- --grep "in|out" | tail -1\`
- expect: output contains \`1 passed\`

## C2 — The message helps
- covers: S1, S2
- judged

## C3 — Nothing else is touched
- scope: \`src/**\`

## Not covered
- S3: nobody can say what pretty is
`
const [commit, tree] = [sha256('commit').slice(0, 40), sha256('tree').slice(0, 40)]

const sealed: EventBody = {
  type: 'contract.sealed',
  sha256: sha256(contractText),
  clauses: [
    { id: 'C1', sentence: 'A right password lets in', proof: 'check' },
    { id: 'C2', sentence: 'The message helps', proof: 'judged' },
    { id: 'C3', sentence: 'Nothing else is touched', proof: 'scope' },
  ],
  uncoveredSentences: ['S4: Keep the old addresses.'],
}
const given: EventBody = {
  type: 'verdict.given',
  round: 2,
  verdict: 'PASS',
  reason: '3 of 3 clauses are met',
  commit,
  tree,
  isFinal: true,
  independence: 'other vendor, blind',
  clauses: ['C1', 'C2', 'C3'].map(id => ({ id, verdict: 'PASS' })),
}

test('each sentence leads to its clauses, outcomes, verdicts and evidence', () => {
  const matrix = buildMatrix(createInput([sealed, given]))
  assert.deepEqual(
    matrix.sentences.map(({ id, clauseIds, exclusionReason = '' }) => [id, clauseIds.join(), exclusionReason]),
    [
      ['S1', 'C1,C2', ''],
      ['S2', 'C2', ''],
      ['S3', '', 'nobody can say what pretty is'],
      ['S4', '', ''],
    ],
  )
  assert.deepEqual(matrix.uncoveredSentences, ['S4'])
  assert.deepEqual(matrix.unlinkedClauses, ['C3'])
  const [one, two, three] = matrix.clauses
  assert.equal(one?.commandOrPaths, 'npm test -- --grep "in|out" | tail -1')
  assert.equal(one?.expected, 'exit 0, output contains "1 passed"')
  assert.deepEqual([one?.baseOutcome, one?.headOutcome, one?.verdict], ['red', 'green', 'PASS'])
  assert.deepEqual(one?.evidence, [
    { id: 'base-C1', outputSha256: sha256('before') },
    { id: 'round-2-C1', outputSha256: sha256('after') },
  ])
  assert.deepEqual(two?.evidence, [{ id: 'listing' }, { id: 'round-2-C1', outputSha256: sha256('after') }])
  assert.deepEqual([three?.baseOutcome, three?.headOutcome, three?.evidence], ['', 'kept', [{ id: 'scope-C3' }]])
  assert.deepEqual(matrix.damage, [])
})

test('the Markdown has the verdict, everything it is bound to, and each clause', () => {
  const text = renderMatrix(buildMatrix(createInput([sealed, given])))
  for (const expected of [
    '## Dispatch: PASS',
    'round 2 of 3, final',
    'independence: **other vendor, blind**; judge: gemini-x',
    'sandbox: none: as the user',
    `commit \`${commit}\`, tree \`${tree}\``,
    `contract: version 1, sha256 \`${sha256(contractText)}\`, never weakened`,
    `packet sha256 \`${sha256('packet')}\``,
    '4 sentences: 2 covered, 1 left out, 1 not covered',
    '| check `npm test -- --grep "in\\|out" \\| tail -1` (exit 0, output contains "1 passed") | red | green | **PASS** |',
    `\`base-C1\` \`${sha256('before').slice(0, 12)}\`<br>\`round-2-C1\` \`${sha256('after').slice(0, 12)}\``,
    '### Clauses that cover no sentence',
    '- **S3** Make it pretty. — nobody can say what pretty is',
    '### Not covered by any clause\n\n- **S4** Keep the old addresses.',
    'C2, as above |  |  |  | **PASS** |',
  ])
    assert.ok(text.includes(expected), `${expected}\n${text}`)
  for (const row of text.split('\n').filter(line => line.startsWith('|')))
    assert.equal(row.replace(/\\[\\|]/g, '').split('|').length, 9, row)
})

test('a broken pin overrides the outcome, and is shown with the notes', () => {
  const pinned = contractText.replace('- expect', '- pins: `test.sh`\n- expect')
  const sealedPinned = { ...sealed, sha256: sha256(pinned) } as EventBody
  const withFirst = (changes: object): MatrixInput => ({
    ...createInput([sealedPinned, given]),
    contractText: pinned,
    verdictRecord: {
      ...verdictRecord,
      clauses: verdictRecord.clauses.map((clause, index) => (index === 0 ? { ...clause, ...changes } : clause)),
    },
  })
  const broken = buildMatrix(withFirst({ gate: 'broken', verdict: 'FAIL' })).clauses[0]
  assert.deepEqual(
    [broken?.headOutcome, broken?.expected, broken?.note],
    ['broken', 'exit 0, output contains "1 passed", pinned: test.sh', undefined],
  )
  const noted = buildMatrix(withFirst({ note: 'by `a|b`, which the work itself changed' }))
  assert.deepEqual(
    [noted.clauses[0]?.headOutcome, noted.clauses[0]?.note],
    ['green', 'by `a|b`, which the work itself changed'],
  )
  const row = renderMatrix(noted)
    .split('\n')
    .find(line => line.includes('**C1**'))
  assert.match(row ?? '', /\*\*PASS\*\*<br>by .*a\\\|b.*, which the work itself changed \|/)
})

test('the tests that ran stand beside the outcome of each side', () => {
  const input = createInput([sealed, given])
  const [before, between, after] = input.evidence
  assert.ok(before && between && after)
  const evidence = [
    { ...before, outcome: 'nothing ran' as const, tests: { ran: 0, failed: 0, skipped: 0 } },
    { ...between, tests: { ran: 1, failed: 1, skipped: 0 } },
    { ...after, tests: { ran: 12, failed: 0, skipped: 3 } },
  ]
  const matrix = buildMatrix({ ...input, evidence })
  assert.deepEqual(matrix.clauses[0]?.headTests, { ran: 12, failed: 0, skipped: 3 })
  assert.match(renderMatrix(matrix), /\| nothing ran<br>0 ran \| green<br>12 ran, 3 skipped \| \*\*PASS\*\* \|/)
  const open = buildMatrix({ ...createInput([sealed]), evidence })
  assert.deepEqual([open.clauses[0]?.baseTests, open.clauses[0]?.headTests], [evidence[0]?.tests, undefined])
})

test('a void verdict and its dilutions are in the matrix', () => {
  const weakened: EventBody = {
    ...sealed,
    type: 'contract.amended',
    version: 2,
    changes: [],
    dilutions: ['C1 asks for less'],
  }
  const voided: EventBody = { type: 'verdict.voided', reason: 'src/a.ts changed' }
  const matrix = buildMatrix(createInput([sealed, weakened, given, voided]))
  assert.equal(matrix.verdict.voidReason, 'src/a.ts changed')
  const text = renderMatrix(matrix)
  assert.match(text, /^## Dispatch: VOID, was PASS\n\n> \*\*VOID\*\*: .* src\/a\.ts changed\n/)
  assert.match(
    text,
    /contract: version 2, .*, weakened 1 time;.*\n {2}- weakened, with a person's approval: C1 asks for less/,
  )
  assert.doesNotMatch(text, /\*\*PASS\*\*|- PASS/)
  assert.equal(text.match(/void, was PASS/g)?.length, 4)
  assert.deepEqual(voidMatrix(matrix, 'again'), matrix)
  const voidLater = voidMatrix(buildMatrix(createInput([sealed, given])), 'a.ts changed')
  assert.deepEqual(
    [voidLater.state, voidLater.verdict.voidReason, voidLater.clauses[0]?.isVoid],
    ['PASS (void)', 'a.ts changed', true],
  )
})

test('before a verdict the matrix shows the sealed contract, or the draft', () => {
  const before = buildMatrix({ ...createInput([sealed]), verdictRecord: undefined })
  assert.equal(before.verdict.value, 'not judged yet')
  assert.deepEqual(new Set(before.clauses.map(({ verdict }) => verdict)), new Set(['not judged yet']))
  assert.deepEqual(
    before.clauses.map(clause => clause.headOutcome),
    ['', '', ''],
  )
  assert.match(renderMatrix(before), /^## Dispatch: not judged yet\n/)
  const draft = buildMatrix({ ...createInput([]), verdictRecord: undefined, evidence: [] })
  assert.equal(draft.contract.state, 'draft')
  assert.match(renderMatrix(draft), /contract: a draft, not sealed/)
  const nothing = buildMatrix({ ...createInput([]), verdictRecord: undefined, evidence: [], contractText: undefined })
  assert.deepEqual(nothing.uncoveredSentences, ['S1', 'S2', 'S3', 'S4'])
  assert.match(renderMatrix(nothing), /No clause covers a sentence of the task yet/)
})

test('a contract that is not what was sealed is damaged, and not used', () => {
  const matrix = buildMatrix({ ...createInput([sealed, given]), contractText: contractText.replace('right', 'wrong') })
  assert.match(matrix.damage[0] ?? '', /not what was sealed/)
  assert.ok(matrix.clauses.every(({ sentence }) => !sentence.includes('wrong')))
  assert.match(renderMatrix(matrix), /> \*\*DAMAGED\*\*/)
})

test('evidence of another tree is not shown for the judged one', () => {
  const input = createInput([sealed, given])
  const evidence = input.evidence.map(record =>
    record.side === 'head' ? { ...record, tree: sha256('other').slice(0, 40) } : record,
  )
  const [one] = buildMatrix({ ...input, evidence }).clauses
  assert.deepEqual(one?.evidence, [{ id: 'base-C1', outputSha256: sha256('before') }, { id: 'round-2-C1' }])
})

test('after an amendment the newest base record is shown', () => {
  const input = createInput([sealed, given])
  const newest = { ...createRecord('base-v2-C1', 'base', 0, 'green', 'again'), time: '2026-11-20T11:00:00.000Z' }
  const [one] = buildMatrix({ ...input, evidence: [newest, ...input.evidence] }).clauses
  assert.deepEqual([one?.baseOutcome, one?.evidence[0]?.id], ['green', 'base-v2-C1'])
})

test('a missing judge is shown', () => {
  const none: EventBody = { ...given, verdict: 'INCONCLUSIVE', independence: 'none' } as EventBody
  const input = createInput([sealed, none])
  const verdictRecord = { ...input.verdictRecord, judge: 'none (no key)', packetSha256: null } as VerdictRecord
  assert.match(
    renderMatrix(buildMatrix({ ...input, verdictRecord })),
    /independence: \*\*none\*\*; judge: none \(no key\)[\s\S]*packet sha256 none sent/,
  )
})

const hostile: [text: string, forbidden: RegExp][] = [
  ['<script>alert(1)</script><img src=x onerror=y>', /<(script|img)/],
  ['Thanks @torvalds and @org/team', /@\w/],
  ['a | b || c \\| d', /(?<!\\)\|(?! |$)/],
  ['[click](https://evil.example) ![x](http://evil.example/x.png)', /(?<!\\)\[|:\/\/evil/],
  ['see https://evil.example and www.evil.example', /https:\/\/|www\./],
  ['closes #12, GH-13, someone/repo#14', /#\d|GH-\d/],
  [`fixed in ${commit} and ${commit.slice(0, 7)}`, /[0-9a-f]{40}|\b[0-9a-f]{7}\b/],
  ['`code` **bold** __under__ ~~gone~~ $math$', /(?<!\\)[`*_~$]/],
  ['--> <!-- hidden', /(?<!<!--) -->|<!-- h/],
  ['a\u001b[31mred\u202ebidi\u200bzero', /[\p{Cc}\p{Cf}]/u],
  ['# heading\n- list\n> quote\n| cell |', /\n#|\n>/],
  ['&lt;b&gt; &#64;torvalds', /&(lt;b|#)/],
]

for (const [text, forbidden] of hostile)
  test(`${JSON.stringify(text)} is only text`, () => {
    const clause = { id: 'C1', sentence: text, proof: 'check' } as const
    const verdict: EventBody = { ...given, reason: text, independence: text } as EventBody
    const matrix = buildMatrix({
      ...createInput([{ ...sealed, clauses: [clause] } as EventBody, verdict]),
      contractText: undefined,
    })
    const [one] = matrix.clauses
    assert.ok(one)
    const sentences = [
      { id: 'S1', text, clauseIds: ['C1'] },
      { id: 'S2', text, clauseIds: [], exclusionReason: text },
    ]
    const page = renderMatrix({
      ...matrix,
      damage: [text],
      sentences,
      clauses: [{ ...one, reason: text }],
      uncoveredSentences: ['S2'],
    })
    const withoutCode = page.replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '').split('\n')
    for (const line of withoutCode.filter(row => /\*\*S\d|\*\*C1|DAMAGED|^- PASS/.test(row))) {
      const content = line.replace(/^\| | \|$|\*\*[A-Z\d]+\*\*| \| |^> |<br>/g, ' ')
      assert.doesNotMatch(content.replace(/\*\*(PASS|)\*\*/g, ''), forbidden)
    }
  })

test('a command is shown as code, whatever it contains', () => {
  const input = createInput([sealed, given])
  for (const [command, shown] of [
    ['echo `date` | cat', '``echo `date` \\| cat``'],
    ['`x`', '`` `x` ``'],
    ["grep 'a\\|b'", '<code>grep &#39;a&#92;&#124;b&#39;</code>'],
    ['one\ntwo\n', '`one ⏎ two`'],
    ['echo @torvalds #12 </td>', '`echo @torvalds #12 </td>`'],
  ] as const) {
    const matrix = buildMatrix(input)
    const [one, ...others] = matrix.clauses
    assert.ok(one)
    const text = renderMatrix({ ...matrix, clauses: [{ ...one, commandOrPaths: command }, ...others] })
    assert.ok(text.includes(`| check ${shown} (`), text)
  }
})

test('the page fits into a GitHub comment, and says what was cut', () => {
  const matrix = buildMatrix(createInput([sealed, given]))
  const [one] = matrix.clauses
  assert.ok(one)
  const renderMany = (count: number, length: number) => {
    const clauses = Array.from({ length: count }, (_, index) => ({
      ...one,
      id: `C${index + 1}`,
      sentence: '@|<é'.repeat(length / 4),
    }))
    const sentences = clauses.map(({ id }, index) => ({
      id: `S${index + 1}`,
      text: 'x'.repeat(length),
      clauseIds: [id],
    }))
    return renderMatrix({ ...matrix, clauses, sentences, unlinkedClauses: [], uncoveredSentences: [] })
  }
  for (const [count, length] of [
    [20, 4000],
    [60, 2000],
    [1000, 400],
    [5000, 8],
  ] as const) {
    const text = renderMany(count, length)
    assert.ok(text.length < MAX_COMMENT_CHARS, String(text.length))
    assert.match(text, /_To fit into a comment, [\w ]+\. `dispatch matrix a3f9 --json` has all of it\._\n$/)
  }
  assert.doesNotMatch(renderMany(5, 100), /To fit/)
})

// --- fixtures ---

function createInput(bodies: EventBody[]): MatrixInput {
  const opened: EventBody = {
    type: 'session.opened',
    format: 1,
    task: { bytes: 1, sha256: sha256(task), title: task },
    repository: null,
    uncommittedFiles: 0,
    models: { orchestrator: 'a', code: 'b', rw: 'c', judge: 'gemini-x' },
    maxRounds: 3,
    allowsJudgedOnly: false,
  }
  const events = [opened, ...bodies].map(
    (body, index) => ({ ...body, seq: index + 1, time: `2026-11-20T10:0${index}:00.000Z` }) as Event,
  )
  const status = computeStatus(events)
  return {
    sessionId: '2026-11-20-login-a3f9',
    task,
    contractText,
    evidence: [
      createRecord('base-C1', 'base', 0, 'red', 'before'),
      createRecord('round-1-C1', 'head', 1, 'red', 'between'),
      createRecord('round-2-C1', 'head', 2, 'green', 'after'),
    ],
    verdictRecord,
    status,
    state: status.phase,
  }
}

function createRecord(
  id: string,
  side: 'base' | 'head',
  round: number,
  outcome: 'red' | 'green',
  output: string,
): EvidenceRecord {
  return EvidenceRecord.parse({
    format: 1,
    id,
    clauseId: 'C1',
    side,
    round,
    command: 'npm test',
    expected: 'exit 0',
    exitCode: 0,
    outcome,
    reason: '',
    milliseconds: 1,
    outputTail: output,
    outputBytes: output.length,
    outputSha256: sha256(output),
    commit,
    tree: round === 2 ? tree : sha256('earlier').slice(0, 40),
    time: '2026-11-20T10:00:00.000Z',
  })
}

const verdictRecord: VerdictRecord = {
  format: 1,
  sessionId: '2026-11-20-login-a3f9',
  round: 2,
  verdict: 'PASS',
  reason: '3 of 3 clauses are met',
  commit,
  tree,
  contractSha256: sha256(contractText),
  packetSha256: sha256('packet'),
  independence: 'other vendor, blind',
  judge: 'gemini-x',
  sandbox: 'none: as the user',
  time: '2026-11-20T10:00:00.000Z',
  clauses: [
    clauseVerdict('C1', 'check', 'green', ['round-2-C1']),
    clauseVerdict('C2', 'judged', 'none', ['listing', 'round-2-C1']),
    clauseVerdict('C3', 'scope', 'kept', ['scope-C3']),
  ],
  contractVersion: 1,
  dilutions: [],
  findings: [],
  uncoveredSentences: [],
  excludedSentences: [],
}

function clauseVerdict(
  id: string,
  proof: 'check' | 'judged' | 'scope',
  gate: 'green' | 'kept' | 'none',
  evidence: string[],
) {
  return {
    id,
    sentence: '',
    proof,
    verdict: 'PASS',
    reason: 'seen',
    gate,
    judgement: { met: 'yes', reason: 'so', evidence },
  } as const
}
