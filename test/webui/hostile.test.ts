import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Session } from '#session'
import type { EventBody } from '#session/log'
import {
  createFakeHash,
  createTestSession,
  createWebHome,
  startApp,
  writeEvidence,
  writeVerdict,
} from '../fixtures/web-sessions.ts'

const { home, workspace, remove } = createWebHome()
let page: Awaited<ReturnType<typeof startApp>>

before(async () => {
  page = await startApp(home)
})
after(() => {
  page.stop()
  remove()
})

const hostileTexts = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'><svg/onload=alert(1)>",
  '" onmouseover="alert(1)" x="',
  '</pre></details></main><script src=//evil.test></script>',
  '</title><script>alert(1)</script>',
  '<!--<script>-->',
  '<%= process.exit(1) %><%~ it.id %>',
  '#{alert(1)}{{constructor.constructor("alert(1)")()}}',
  'javascript:alert(1)',
  '&lt;script&gt;&#60;script&#62;',
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31mred',
  '\u202egnp.exe\u2066x\u2069',
  'zero\u200bwidth\u{e0041}tag\ufeff',
]

for (const [index, text] of hostileTexts.entries()) {
  test(`${JSON.stringify(text)} is shown as text everywhere`, async () => {
    const id = `2026-11-20-hostile-${String(index).padStart(4, '0')}`
    const session = await createTestSession(workspace, id, { title: text, isAlive: true, events: createEvents(text) })
    writeEvidence(session, { command: text, expected: text, reason: text, outputTail: text, outputBytes: 9999 })
    writeEvidence(session, { id: text.replace(/[^\w]/g, '-'), clauseId: text, round: 2, outputTail: text })
    writeHostileVerdict(session, text)
    for (const target of ['/', `/s/${id}`, `/s/${id}/matrix`]) assertHarmless((await page.ask(target)).body)
    const plain = await page.ask(`/s/${id}/task.md`)
    assert.ok(!forbidden.test(plain.body))
  })
}

test('a hostile address is text on the error page', async () => {
  for (const text of hostileTexts) {
    for (const target of [`/${encodeURIComponent(text)}`, `/s/${encodeURIComponent(text)}/task.md`])
      assertHarmless((await page.ask(target)).body)
  }
})

test('templates print nothing unescaped but other templates', () => {
  const views = path.resolve(import.meta.dirname, '../../webui/views')
  for (const name of fs.readdirSync(views)) {
    const text = fs.readFileSync(path.join(views, name), 'utf8')
    const unescaped = [...text.matchAll(/<%[-_]?\s*~\s*(.*?)\s*%>/g)].map(([, inside]) => inside ?? '')
    for (const inside of unescaped)
      assert.match(inside, /^(it\.body|it\.markdownHtml|include\('\.\/[\w-]+', \w+\))$/, name)
    assert.ok(!/ style=| on\w+=|<script>|<style|javascript:/.test(text), name)
  }
})

// Characters that must not reach a browser: escapes, bidirectional and invisible characters, C1.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const forbidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u

/** Every tag on the page comes from a template, and no attribute runs code. */
function assertHarmless(body: string): void {
  assert.ok(!forbidden.test(body))
  const tags = [...body.matchAll(/<\/?([a-zA-Z!][^\s>/]*)([^>]*)>/g)]
  for (const [, name = '', attributes = ''] of tags) {
    assert.ok(templateTags.has(name), `<${name}${attributes}>`)
    assert.ok(!/\bon\w+\s*=\s*[^\s"]|\bon\w+="/.test(attributes.replace(/"[^"]*"/g, '""')), attributes)
  }
  assert.equal(body.match(/<script/g)?.length, 1)
  assert.equal(body.match(/<\/title>/g)?.length, 1)
}

const templateTags = new Set(
  '!doctype html head meta title link script body header a img p main section h1 h2 h3 strong span ol ul li time code table thead tbody tr th td details summary dl div dt dd pre footer'.split(
    ' ',
  ),
)

function createEvents(text: string): EventBody[] {
  const worker = text
  return [
    { type: 'orchestrator.started', claudeSessionId: text },
    { type: 'contract.rejected', problems: [text] },
    {
      type: 'contract.sealed',
      sha256: createFakeHash(text),
      clauses: [{ id: 'C1', sentence: text, proof: 'check' }],
      uncoveredSentences: [text],
    },
    {
      type: 'check.ran',
      side: 'base',
      round: 0,
      clauseId: text,
      outcome: 'red',
      reason: text,
      milliseconds: 1,
      recordId: text,
    },
    { type: 'worker.queued', worker, kind: 'rw', model: text, clauses: [text], files: [text], blockedBy: text },
    { type: 'worker.started', worker },
    {
      type: 'worker.ended',
      worker,
      ending: 'failed',
      reason: text,
      commit: null,
      changedFiles: 1,
      costUsd: 0.1,
      seconds: 3,
    },
    { type: 'changes.quarantined', worker, files: [text] },
    { type: 'judging.started', round: 1, commit: createFakeHash('commit'), tree: createFakeHash('tree') },
    {
      type: 'verdict.given',
      round: 1,
      verdict: 'FAIL',
      reason: text,
      commit: createFakeHash('commit'),
      tree: createFakeHash('tree'),
      isFinal: true,
      independence: text,
      clauses: [{ id: 'C1', verdict: 'FAIL' }],
    },
    { type: 'verdict.voided', reason: text },
    { type: 'human.needed', reason: text },
    { type: 'tool.failed', agent: text, tool: text, reason: text },
    { type: 'question.asked', question: text },
  ]
}

function writeHostileVerdict(session: Session, text: string): void {
  const judgement = { met: 'no' as const, reason: text, evidence: [text] }
  const clause = { id: 'C1', sentence: text, proof: 'check' as const, verdict: 'FAIL' as const, reason: text }
  const clauses = [{ ...clause, gate: 'red' as const, judgement, note: text }]
  writeVerdict(session, { verdict: 'FAIL', judge: text, sandbox: text, findings: [text], clauses })
}
