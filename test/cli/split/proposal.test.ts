import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProposal } from '#cli/split/proposal.ts'

const entry = (changes: object = {}) => ({ title: 'x', text: 'y', acceptance: ['z'], after: [], ...changes })
const parse = (issues: unknown[], extra: object = {}) => parseProposal(JSON.stringify({ issues, ...extra }))

test('a proposal has 2 to 8 issues that name earlier ones only', () => {
  const good = parse([entry(), entry({ after: [1] }), entry({ after: [1, 2] })])
  assert.ok('issues' in good && good.issues.length === 3)
  const fenced = parseProposal(`\`\`\`json\n${JSON.stringify({ issues: [entry(), entry()] })}\n\`\`\`\n`)
  assert.ok('issues' in fenced)
  const bad: [unknown[], RegExp][] = [
    [[entry()], /^issues: /],
    [Array.from({ length: 9 }, () => entry()), /^issues: /],
    [[entry({ after: [1] }), entry()], /^issues\.0\.after: may only name earlier/],
    [[entry(), entry({ after: [2] })], /^issues\.1\.after: /],
    [[entry(), entry({ after: [1, 1] })], /^issues\.1\.after: /],
    [[entry(), entry({ title: 'a\nb' })], /^issues\.1\.title: /],
    [[entry(), entry({ acceptance: [] })], /^issues\.1\.acceptance: /],
    [[entry(), entry({ labels: ['dispatch'] })], /^issues\.1: /],
    [[entry(), entry({ text: ' ' })], /^issues\.1\.text: /],
  ]
  for (const [issues, problem] of bad) {
    const parsed = parse(issues)
    assert.match('problem' in parsed ? parsed.problem : 'accepted', problem, JSON.stringify(issues))
  }
  assert.ok('problem' in parse([entry(), entry()], { note: 'x' }))
  for (const text of ['', 'Here it is: {"issues": []}', 'null', '[]']) assert.ok('problem' in parseProposal(text), text)
})

test('what a person would not see on the screen or on GitHub is not kept', () => {
  const parsed = parse([entry({ text: 'shown <!-- dispatch:claim {} -->\u202e\nmore', title: 'a\u200bb' }), entry()])
  assert.ok('issues' in parsed)
  assert.equal(parsed.issues[0]?.text, 'shown \\u{202e}\nmore')
  assert.equal(parsed.issues[0]?.title, 'a\\u{200b}b')
})
