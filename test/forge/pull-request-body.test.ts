import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PullRequestFacts, renderSection } from '#forge'
import { replaceStatusPart } from '#forge/feedback/status-part.ts'
import { closesIssue, hasSection, MAX_BODY_CHARS } from '#forge/pull-request-body.ts'
import type { Matrix } from '#session/traceability'

const clause = {
  covers: [],
  commandOrPaths: '',
  expected: '',
  baseOutcome: '',
  headOutcome: '',
  verdict: 'PASS' as const,
}
const rest = { isVoid: false, reason: '', evidence: [] }
const matrix = {
  clauses: [
    { id: 'C1', sentence: 'It says hello', proof: 'check', ...clause, ...rest },
    { id: 'C2', sentence: 'It reads well', proof: 'judged', ...clause, ...rest },
    { id: 'C3', sentence: 'Nothing broke', proof: 'guard', ...clause, ...rest, note: 'flaky before' },
    { id: 'C4', sentence: 'It is fast', proof: 'check', ...clause, ...rest, verdict: 'INCONCLUSIVE' },
  ],
  sentences: [{ id: 'S1', text: 'x', clauseIds: [], exclusionReason: 'no' }],
  uncoveredSentences: ['S2', 'S3'],
  contract: { state: 'sealed', sha256: null, version: 2, dilutions: ['C1 was removed'] },
  verdict: { independence: 'none' },
} as unknown as Matrix

const facts: PullRequestFacts = {
  ...{ sessionId: 's1', task: 'Say hello', matrix, renderMatrix: () => '## Dispatch: PASS', warning: undefined },
  ...{ changedFiles: ['hello.sh', 'a`b'], closes: [] },
}

test('what the verdict does not show comes first', () => {
  const section = renderSection({ ...facts, closes: ['#12', 'corp/notes#3'] })
  const looks = [...section.matchAll(/^- (.+)$/gm)].map(([, line = '']) => line)
  assert.deepEqual(looks, [
    'Not proved: C4 (It is fast)',
    'Only the judge says so, and no check shows it: C2 (It reads well)',
    'No clause covers 2 sentences of the task',
    '1 sentence of the task left out of the contract',
    "The contract was weakened 1 time, with a person's approval",
    'Green before the work too, so it only shows that nothing broke: C3 (Nothing broke)',
    'With a note in the table: C3 (Nothing broke)',
    'No judge has answered',
    "2 files changed: `hello.sh`, `a'b`",
  ])
  assert.match(section, /\nCloses #12\nCloses corp\/notes#3\n/)
  assert.ok(hasSection(section, 's1'))
})

test('it closes its issue also after a person has edited it on GitHub', () => {
  const section = renderSection({ ...facts, task: 'Closes #13', closes: ['#12'] })
  for (const body of [section, `mine\r\n${section.replaceAll('\n', '\r\n')}`])
    assert.deepEqual([closesIssue(body, 12), closesIssue(body, 1), closesIssue(body, 13)], [true, false, false])
})

test('a task cannot leave its block, mention a person, or end the part of dispatch', () => {
  const task = 'Do it @ada\n```\n# Heading\n````js\n<!-- dispatch:end -->\n\u202egpj'
  const section = renderSection({ ...facts, task, warning: 'see @ada and #1 at https://example.com' })
  assert.match(section, /\n`````text\nDo it @ada\n[\s\S]*\n`````\n/)
  assert.equal(section.split('<!-- dispatch:end -->').length, 2)
  assert.ok(!section.includes('\u202e'))
  assert.match(section, /see @<!-- -->ada and #<!-- -->1 at https:<!-- -->\/\/example/)
})

test('the longest task and matrix still fit into a body', () => {
  const section = renderSection({
    ...facts,
    task: 'x'.repeat(100_000),
    renderMatrix: maxChars => 'm'.repeat(maxChars),
  })
  assert.ok(section.length <= MAX_BODY_CHARS - 4000, `${section.length}`)
  assert.match(section, /cut; the session has all of it/)
})

test('the name of a file is no mark of dispatch', () => {
  const name = '<!-- dispatch:followed -->'
  const changedFiles = [name, '<!-- dispatch:end -->']
  const section = renderSection({ ...facts, changedFiles, closes: ['#7'] })
  for (const words of ['one', 'two']) {
    const body = replaceStatusPart(section, words)
    assert.ok(body.startsWith(section) && body.includes(words))
  }
  const mine = `${name} mine`
  const once = replaceStatusPart(mine, 'one')
  assert.equal(replaceStatusPart(once, 'two'), once.replace('one', 'two'), 'what a person wrote stays')
})
