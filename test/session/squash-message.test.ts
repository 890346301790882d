import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VerdictRecord } from '#session/evidence'
import { renderQuotedTask } from '#session/task'
import { renderSquashMessage } from '../../session/squash-message.ts'

const sessionId = '20261121-say-abcd'
const verdict = {
  verdict: 'FAIL',
  reason: 'C2 is not proved',
  clauses: [
    { id: 'C1', sentence: 'it says\nhello', verdict: 'PASS' },
    { id: 'C2', sentence: 'it is quick', verdict: 'INCONCLUSIVE' },
  ],
} as VerdictRecord

test('a message has what was asked, what was proved and what was not, the verdict and the session', () => {
  const task = `${'say '.repeat(30)}\n\n# not a comment\nSigned-off-by: nobody\n`
  assert.equal(
    renderSquashMessage({ sessionId, task, verdict }),
    `${'say '.repeat(17)}say…

Asked:
  ${'say '.repeat(30).trim()}

  # not a comment
  Signed-off-by: nobody

Proved:
- C1: it says hello

Not proved:
- C2: it is quick (INCONCLUSIVE)

Verdict: FAIL, C2 is not proved
Session: ${sessionId}
`,
  )
})

test('the subject for an issue is its title', () => {
  const nonce = '0123456789abcdef0123456789abcdef'
  const blocks = [{ heading: 'issue 42 by @eve', text: 'Say hello\n\nPrint it.' }]
  const task = renderQuotedTask('Do what issue 42 asks for.', nonce, blocks)
  assert.match(
    renderSquashMessage({ sessionId, task, verdict: undefined }),
    /^Say hello\n\nAsked:\n {2}Do what issue 42/,
  )
})

test('words of others close no issue and skip no CI; those of a person at this machine stay', () => {
  const nonce = '0123456789abcdef0123456789abcdef'
  const words = [
    'Fixes #7, closes ada/notes#8: [skip  ci] say hello',
    'Resolves https://github.com/ada/notes/issues/9 and GH-10',
    '[ci skip] [no ci] [Skip-CI] [CF-Pages-Skip] [[actions skip]] ***NO_CI***',
    'skip-checks: true',
    'array[0] and [link] stay',
  ].join('\n')
  const task = renderQuotedTask('Do what issue 42 asks for.', nonce, [{ heading: 'issue 42 by @eve', text: words }])
  const clauses = [{ id: 'C1', sentence: 'it fixes #11', verdict: 'PASS' }]
  const proved = { verdict: 'PASS', reason: '[skip ci]', clauses } as VerdictRecord
  const message = renderSquashMessage({ sessionId, task, verdict: proved })
  assert.equal(message.split('\n')[0], 'Fixes # 7, closes ada/notes# 8: (skip ci) say hello')
  assert.doesNotMatch(message, /(#|GH-|issues\/)\d|\[[^\]()]*(skip|no ci)|\*NO_CI|skip-checks/i)
  assert.match(message, /array\[0\] and \[link\] stay[\s\S]*it fixes # 11[\s\S]*Verdict: PASS, \(skip ci\)/)
  assert.match(renderSquashMessage({ sessionId, task: words, verdict: undefined }), /^Fixes #7, .*\[skip ci\]/)
})

test('a task of one line is the subject, and work without a verdict says so', () => {
  const message = renderSquashMessage({ sessionId, task: 'Say hello\u001b[31m\n', verdict: undefined })
  assert.equal(message, `Say hello\\u{1b}[31m\n\nVerdict: none\nSession: ${sessionId}\n`)
})

test('a long task gives its first sentence as the subject, or ends between words', () => {
  const choose = (task: string) => renderSquashMessage({ sessionId, task, verdict: undefined }).split('\n')[0]
  const rest = 'The rest of the task says how, in more words than a subject of a commit has room for.'
  assert.equal(choose(`Print the version. ${rest}`), 'Print the version')
  assert.equal(choose(`Does v1.2 of e.g. it work? \`x\` must. ${rest}`), 'Does v1.2 of e.g. it work?')
  assert.equal(choose('Two sentences. Both fit.'), 'Two sentences. Both fit.')
  assert.equal(choose(rest), 'The rest of the task says how, in more words than a subject of a commit…')
  assert.equal(choose(`a${'b'.repeat(100)} c`), `a${'b'.repeat(70)}…`)
})

test('a task with the line ends of Windows gives a message without them', () => {
  const message = renderSquashMessage({ sessionId, task: 'Add a button\r\n\r\nRed.\r\n', verdict: undefined })
  assert.equal(message, `Add a button\n\nAsked:\n  Add a button\n\n  Red.\n\nVerdict: none\nSession: ${sessionId}\n`)
})
