import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Session } from '#session'
import { appendEvent } from '#session/log'
import { initialStatus } from '#session/status'
import { buildMatrix } from '#session/traceability/matrix.ts'
import { renderMatrixHtml } from '#webui'
import {
  createCheckEvent,
  createFakeHash,
  createQueuedEvent,
  createTestSession,
  createVerdictEvent,
  createWebHome,
  sealedEvent,
  startApp,
  writeEvidence,
  writeVerdict,
} from '../fixtures/web-sessions.ts'

const { home, workspace, remove } = createWebHome()
let page: Awaited<ReturnType<typeof startApp>>
let passedSession: Session

before(async () => {
  page = await startApp(home)
})
after(() => {
  page.stop()
  remove()
})

test('an empty workspace shows how to start a session', async () => {
  const { status, body } = await page.ask('/')
  assert.equal(status, 200)
  assert.match(body, /No sessions yet/)
})

test('the list has every session, newest first, with its state', async () => {
  passedSession = await createTestSession(workspace, '2026-11-19-passed-0001', {
    title: 'Passed already',
    minutesAgo: 60,
    isAlive: true,
    events: [
      sealedEvent,
      createCheckEvent('base', 'red'),
      judging,
      createCheckEvent('head', 'green'),
      createVerdictEvent('PASS', 'all proved'),
    ],
  })
  await createTestSession(workspace, '2026-11-20-working-0002', {
    title: 'Works now',
    isAlive: true,
    events: [
      started,
      sealedEvent,
      createQueuedEvent('login', null),
      { type: 'worker.started', worker: 'login' },
      createQueuedEvent('two', 'login'),
    ],
  })
  await createTestSession(workspace, '2026-11-20-asking-0003', {
    title: 'Asks now',
    minutesAgo: 1,
    isAlive: true,
    events: [started, { type: 'question.asked', question: 'Round half up,\nor not?' }],
  })
  await createTestSession(workspace, '2026-11-20-left-0004', { minutesAgo: 200, events: [started] })
  const { body } = await page.ask('/')
  const ids = [...body.matchAll(/href="\/s\/([^"]+)"/g)].map(([, id]) => id?.slice(-4))
  assert.deepEqual(ids, ['0003', '0002', '0001', '0004'])
  assert.match(body, /class="badge live">working</)
  assert.match(body, /class="badge call">asking</)
  assert.match(body, /class="badge good">PASS</)
  assert.match(body, /class="badge unsure">interrupted</)
  assert.match(body, /1 worker, 1 waiting/)
  assert.match(body, /round 1 of 3/)
  assert.match(body, /<strong class="badge call">1<\/strong> waits for you/)
  assert.match(body, /data-refresh-ms="2000"/)
})

test('a session page has the contract, the verdict and the evidence', async () => {
  writeEvidence(passedSession, {
    id: 'base-C1',
    side: 'base',
    round: 0,
    outcome: 'red',
    exitCode: 1,
    reason: 'exit 1',
    tests: 'unknown',
    outputTail: 'not ok',
  })
  writeEvidence(passedSession)
  writeVerdict(passedSession)
  const body = await fetchPage(passedSession.id)
  const clause = /<th scope="row">C1<\/th>[\s\S]*?<\/tr>/.exec(body)?.[0] ?? ''
  for (const words of ['A correct password is let in.', 'check', 'red', 'green', 'PASS', 'red before, green now'])
    assert.ok(clause.includes(words), words)
  for (const words of ['count unknown', '12 ran, 3 skipped']) {
    assert.ok(clause.includes(words), words)
    assert.ok(body.includes(`<dt>tests</dt><dd>${words}</dd>`), words)
  }
  for (const words of [
    'all proved',
    createFakeHash('commit'),
    createFakeHash('tree'),
    'other vendor, blind',
    'gemini',
    'make it nicer',
    'f'.repeat(64),
  ])
    assert.ok(body.includes(words), words)
  for (const words of ['npm test', 'ok 1 - let in', 'exit 0', `dispatch apply ${passedSession.id}`])
    assert.ok(body.includes(words), words)
  assert.match(body, /<pre tabindex="0">not ok<\/pre>/)
})

test('events are in order, newest last', async () => {
  const body = await fetchPage(passedSession.id)
  const [sealed, verdict] = [body.indexOf('sealed: 2 clauses'), body.indexOf('PASS: all proved')]
  assert.ok(sealed > 0 && verdict > sealed)
})

test('a verdict.json of another tree is not shown', async () => {
  writeVerdict(passedSession, { tree: createFakeHash('another') })
  assert.ok(!(await fetchPage(passedSession.id)).includes('red before, green now'))
})

test('a session that waits for the judge says why and until when, and a dead judge is named', async () => {
  const parked = await createTestSession(workspace, '2026-11-17-parked-0006', {
    isAlive: true,
    events: [
      sealedEvent,
      judging,
      {
        ...{ type: 'judging.parked', round: 1, kind: 'overloaded', reason: 'HTTP 503', attempts: 1 },
        ...{ nextAt: '2031-11-20T10:00:00.000Z', until: '2031-11-20T20:00:00.000Z' },
      },
    ],
  })
  const dead = await createTestSession(workspace, '2026-11-17-dead-0007', {
    isAlive: true,
    events: [started, { type: 'judge.checked', model: 'a', problem: 'the model a does not exist' }],
  })
  const list = (await page.ask('/')).body
  assert.match(list, /waiting for the judge, asked again at 20 Nov 2031/)
  assert.match(list, /the judge cannot judge/)
  assert.match(await fetchPage(parked.id), /is waiting for the judge: HTTP 503; it is asked again at 20 Nov 2031/)
  assert.match(await fetchPage(dead.id), /cannot judge, so no verdict can be PASS: the model a does not exist/)
})

test('a verdict names the model that answered, and that it is not the one asked for', async () => {
  writeVerdict(passedSession, { judge: 'gemini-3.8-flash', judgeRemark: 'gemini-2.5-pro was asked' })
  assert.match(
    await fetchPage(passedSession.id),
    /gemini-3\.8-flash \(not the model asked for: gemini-2\.5-pro was asked\)/,
  )
})

test('a void verdict is shown as void, and not green', async () => {
  const session = await createTestSession(workspace, '2026-11-18-void-0005', {
    events: [
      sealedEvent,
      createVerdictEvent('PASS', 'all proved'),
      { type: 'verdict.voided', reason: 'the head moved' },
    ],
  })
  const body = await fetchPage(session.id)
  assert.match(body, /class="badge big unsure">PASS \(void\)</)
  assert.match(body, /<strong>Void:<\/strong> the head moved/)
})

test('a question is shown in full, with the command that answers', async () => {
  const body = await fetchPage('2026-11-20-asking-0003')
  assert.match(body, /dispatch attach 2026-11-20-asking-0003/)
  assert.match(body, /Round half up,\nor not\?/)
})

test('a worker of a dead runner is interrupted, not working', async () => {
  const session = await createTestSession(workspace, '2026-11-18-gone-0006', {
    events: [started, sealedEvent, createQueuedEvent('login', null), { type: 'worker.started', worker: 'login' }],
  })
  const body = await fetchPage(session.id)
  assert.match(body, /class="badge unsure">interrupted<\/span>/)
  assert.ok(!body.includes('class="badge live">working'))
})

test('earlier rounds are shown without output', async () => {
  const session = await createTestSession(workspace, '2026-11-18-rounds-0007', { events: [sealedEvent] })
  writeEvidence(session, { id: 'round-1-C1', round: 1, outcome: 'red', outputTail: 'the old output' })
  writeEvidence(session, { id: 'round-2-C1', round: 2, outputTail: 'the new output' })
  const body = await fetchPage(session.id)
  assert.match(body, /Earlier rounds \(1\)/)
  assert.ok(body.includes('the new output') && !body.includes('the old output'))
})

test('only six raw files are served, as text in a sandbox', async () => {
  const { status, headers, body } = await page.ask(`/s/${passedSession.id}/task.md`)
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
  assert.match(String(headers['content-security-policy']), /^sandbox; default-src 'none'/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(body, 'Passed already')
  assert.equal((await page.ask(`/s/${passedSession.id}/events.jsonl`)).status, 200)
  for (const name of [
    'session.json',
    'plan.md',
    'guard',
    'evidence',
    'outputs',
    'verdict.txt',
    'task.md/',
    '.runner-lease',
  ])
    assert.equal((await page.ask(`/s/${passedSession.id}/${name}`)).status, 404, name)
})

test('a link, a hard link, a folder and a pipe are not served', async () => {
  const secret = path.join(home, '.env')
  fs.writeFileSync(secret, 'GEMINI_API_KEY=secret')
  const { plan, contract, verdictText, verdictRecord } = passedSession.paths
  fs.symlinkSync(secret, plan)
  fs.linkSync(secret, contract)
  fs.rmSync(verdictRecord)
  fs.mkdirSync(verdictRecord)
  execFileSync('mkfifo', [verdictText])
  for (const name of ['plan.md', 'contract.md', 'verdict.md', 'verdict.json']) {
    const { status, body } = await page.ask(`/s/${passedSession.id}/${name}`)
    assert.equal(status, 404, name)
    assert.ok(!body.includes('secret'))
  }
  assert.match(await fetchPage(passedSession.id), /all proved/)
})

test('a file is cut at 1 MiB', async () => {
  const session = await createTestSession(workspace, '2026-11-18-long-0008')
  fs.writeFileSync(session.paths.plan, 'a'.repeat(1024 * 1024 + 5))
  const { body } = await page.ask(`/s/${session.id}/plan.md`)
  assert.equal(body.length, 1024 * 1024 + '\n[cut at 1 MiB]\n'.length)
})

test('a torn line of the log is counted', async () => {
  const session = await createTestSession(workspace, '2026-11-18-torn-0009', { events: [started] })
  fs.appendFileSync(session.paths.events, '{"seq":3,"at":"20')
  assert.match(await fetchPage(session.id), /1 line of the log cannot be read/)
})

test('an unknown address, or a part of an id, is 404', async () => {
  for (const target of ['/s/2026-11-20-nobody-0000', '/s/0001', '/s/2026-11-19', '/nothing', '/s/', '/views/list.eta'])
    assert.equal((await page.ask(target)).status, 404, target)
})

test('/healthz names the home and the process', async () => {
  const { body } = await page.ask('/healthz')
  const { installedVersion, isOutdated, ...health } = JSON.parse(body)
  assert.deepEqual(health, { name: 'claude-dispatch', home, pid: process.pid, version: '1.2.3', daemon: null })
  assert.match(installedVersion, /^\d+\.\d+\.\d+\+(sources|[0-9a-f]{12})$/)
  assert.equal(isOutdated, !installedVersion.endsWith('+sources'))
})

test('style, script and icon have their content types', async () => {
  for (const [target, type] of [
    ['/style.css', 'text/css'],
    ['/live.js', 'text/javascript'],
    ['/icon.svg', 'image/svg+xml'],
  ] as const) {
    const { status, headers } = await page.ask(target)
    assert.equal(status, 200)
    assert.ok(headers['content-type']?.startsWith(type))
  }
})

test('the matrix page has sentences, clauses, checks, evidence and verdict', async () => {
  const contract = '# Contract: x\n\n## C1 — It prints <b>hello</b>\n- covers: S1\n- check: `sh hello.sh | cat`\n'
  const session = await createTestSession(workspace, '2026-11-17-matrix-0010', {
    title: 'Print hello. And be kind.',
    isAlive: true,
    events: [
      {
        type: 'contract.sealed',
        sha256: createHash('sha256').update(contract).digest('hex'),
        clauses: [{ id: 'C1', sentence: 'It prints <b>hello</b>', proof: 'check' }],
        uncoveredSentences: ['S2: And be kind.'],
      },
      createVerdictEvent('PASS', 'all proved'),
    ],
  })
  fs.writeFileSync(session.paths.contract, contract)
  writeEvidence(session, { id: 'base-C1', side: 'base', round: 0, outcome: 'red', outputSha256: 'b'.repeat(64) })
  writeEvidence(session, { outputSha256: 'abcdef'.repeat(10) })
  assert.match(await fetchPage(session.id), /href="\/s\/2026-11-17-matrix-0010\/matrix"/)
  const { status, body } = await page.ask(`/s/${session.id}/matrix`)
  assert.equal(status, 200)
  for (const words of [
    '2 sentences: 1 covered, 0 left out, 1 not covered',
    'It prints &lt;b&gt;hello&lt;/b&gt;',
    '<code>sh hello.sh | cat</code>',
    'other vendor, blind',
    'bbbbbbbbbbbb',
    'abcdefabcdef<',
    'And be kind.',
  ])
    assert.ok(body.includes(words), `${words}\n${body}`)
  assert.match(body, /data-label="verdict"><strong class="badge good">PASS</)
  appendEvent(session.paths.events, { type: 'verdict.voided', reason: 'the head moved' }, 3, new Date())
  const voided = (await page.ask(`/s/${session.id}/matrix`)).body
  assert.match(voided, /<strong>Void:<\/strong> the head moved/)
  assert.doesNotMatch(voided, /badge (big )?good"|edge-good/)
  assert.equal((await page.ask('/s/2026-11-20-nobody-0000/matrix')).status, 404)
})

test('the matrix as one file needs no other file and escapes everything', async () => {
  const text = '</style><script>alert(1)</script>'
  const status = { ...initialStatus, clauses: [{ id: text, sentence: text, proof: 'check' as const }] }
  const input = {
    sessionId: text,
    task: text,
    contractText: undefined,
    evidence: [],
    verdictRecord: undefined,
    status,
    state: text,
  }
  const html = await renderMatrixHtml(buildMatrix(input))
  assert.doesNotMatch(html, /<script|<link|<img| src=|url\(/)
  assert.match(html, /&lt;script&gt;/)
})

const started = { type: 'orchestrator.started', claudeSessionId: 'x' } as const
const judging = {
  type: 'judging.started',
  round: 1,
  commit: createFakeHash('commit'),
  tree: createFakeHash('tree'),
} as const

async function fetchPage(id: string): Promise<string> {
  const { status, body } = await page.ask(`/s/${id}`)
  assert.equal(status, 200)
  return body
}

test('a channel warning is on both pages, as text', async () => {
  const warningPage = await startApp(home, () => 'the phone <script>1</script>')
  const addresses = ['/', `/s/${passedSession.id}`]
  for (const address of addresses) {
    assert.match(
      (await warningPage.ask(address)).body,
      /<strong>Notifications are not arriving:<\/strong> the phone &lt;script&gt;1/,
    )
    assert.doesNotMatch((await page.ask(address)).body, /Notifications are not arriving/)
  }
  warningPage.stop()
})
