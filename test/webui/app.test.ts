import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Session } from '#session'
import { appendEvent, type EventBody } from '#session/log'
import { initialStatus } from '#session/status'
import { buildMatrix } from '#session/traceability/matrix.ts'
import { renderMatrixHtml } from '#webui'
import {
  createCheckEvent,
  createFakeHash,
  createTestSession,
  createVerdictEvent,
  createWebHome,
  sealedEvent,
  startApp,
  writeEvidence,
} from '../fixtures/web-sessions.ts'

const { home, workspace, remove } = createWebHome()
let page: Awaited<ReturnType<typeof startApp>>
let passed: Session

before(async () => {
  page = await startApp(home)
})
after(() => {
  page.stop()
  remove()
})

test('an empty workspace says what to do first', async () => {
  const { status, body } = await page.ask('/')
  assert.equal(status, 200)
  assert.match(body, /Nothing has been dispatched yet/)
})

test('the list shows every session, newest first, with state, workers and round', async () => {
  passed = await createTestSession(workspace, '2026-11-19-passed-0001', {
    title: 'Passed already',
    minutesAgo: 60,
    alive: true,
    happened: [
      sealedEvent,
      createCheckEvent('base', 'red'),
      judging,
      createCheckEvent('head', 'green'),
      createVerdictEvent('PASS', 'all proved'),
    ],
  })
  await createTestSession(workspace, '2026-11-20-working-0002', {
    title: 'Works now',
    alive: true,
    happened: [
      started,
      sealedEvent,
      queued('login', null),
      { type: 'worker.started', worker: 'login' },
      queued('two', 'login'),
    ],
  })
  await createTestSession(workspace, '2026-11-20-asking-0003', {
    title: 'Asks now',
    minutesAgo: 1,
    alive: true,
    happened: [started, { type: 'question.asked', question: 'Round half up,\nor not?' }],
  })
  await createTestSession(workspace, '2026-11-20-left-0004', { minutesAgo: 200, happened: [started] })
  const { body } = await page.ask('/')
  const ids = [...body.matchAll(/href="\/s\/([^"]+)"/g)].map(([, id]) => id?.slice(-4))
  assert.deepEqual(ids, ['0003', '0002', '0001', '0004'])
  assert.match(body, /class="word live">working</)
  assert.match(body, /class="word call">asking</)
  assert.match(body, /class="word good">PASS</)
  assert.match(body, /class="word unsure">interrupted</)
  assert.match(body, /1 worker, 1 waiting/)
  assert.match(body, /round 1 of 3/)
  assert.match(body, /<strong class="word call">1<\/strong> waits for you/)
  assert.match(body, /data-refresh="2000"/)
})

test('a session page lays the contract, the verdict and the evidence side by side', async () => {
  writeEvidence(passed, {
    id: 'base-C1',
    side: 'base',
    round: 0,
    outcome: 'red',
    exitCode: 1,
    reason: 'exit 1',
    outputTail: 'not ok',
  })
  writeEvidence(passed)
  fs.writeFileSync(passed.paths.verdictRecord, JSON.stringify(verdictRecord))
  const body = await pageOf(passed.id)
  const clause = /<th scope="row">C1<\/th>[\s\S]*?<\/tr>/.exec(body)?.[0] ?? ''
  for (const words of ['A correct password is let in.', 'check', 'red', 'green', 'PASS', 'red before, green now'])
    assert.ok(clause.includes(words), words)
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
  for (const words of ['npm test', 'ok 1 - let in', 'exit 0', `dispatch attach ${passed.id}`])
    assert.ok(body.includes(words), words)
  assert.match(body, /<pre tabindex="0">not ok<\/pre>/)
})

test('the story is told in order, newest last', async () => {
  const body = await pageOf(passed.id)
  const [sealing, verdict] = [body.indexOf('sealed: 2 clauses'), body.indexOf('PASS: all proved')]
  assert.ok(sealing > 0 && verdict > sealing)
})

test('a judgement of another round or tree is not shown beside this verdict', async () => {
  fs.writeFileSync(passed.paths.verdictRecord, JSON.stringify({ ...verdictRecord, tree: createFakeHash('another') }))
  assert.ok(!(await pageOf(passed.id)).includes('red before, green now'))
})

test('a void verdict says so and is green nowhere in the head', async () => {
  const session = await createTestSession(workspace, '2026-11-18-void-0005', {
    happened: [
      sealedEvent,
      createVerdictEvent('PASS', 'all proved'),
      { type: 'verdict.voided', reason: 'the head moved' },
    ],
  })
  const body = await pageOf(session.id)
  assert.match(body, /class="word big unsure">PASS \(void\)</)
  assert.match(body, /<strong>Void:<\/strong> the head moved/)
})

test('a question is shown whole, with the way to answer it', async () => {
  const body = await pageOf('2026-11-20-asking-0003')
  assert.match(body, /It asks you/)
  assert.match(body, /Round half up,\nor not\?/)
})

test('a worker whose runner is gone is not said to work', async () => {
  const session = await createTestSession(workspace, '2026-11-18-gone-0006', {
    happened: [started, sealedEvent, queued('login', null), { type: 'worker.started', worker: 'login' }],
  })
  const body = await pageOf(session.id)
  assert.match(body, /not ended/)
  assert.ok(!body.includes('class="word live">works'))
})

test('earlier rounds keep their outcome but not their output', async () => {
  const session = await createTestSession(workspace, '2026-11-18-rounds-0007', { happened: [sealedEvent] })
  writeEvidence(session, { id: 'round-1-C1', round: 1, outcome: 'red', outputTail: 'the old output' })
  writeEvidence(session, { id: 'round-2-C1', round: 2, outputTail: 'the new output' })
  const body = await pageOf(session.id)
  assert.match(body, /Earlier rounds \(1\)/)
  assert.ok(body.includes('the new output') && !body.includes('the old output'))
})

test('the raw files are text in a sandbox, and only the six that are named', async () => {
  const { status, headers, body } = await page.ask(`/s/${passed.id}/task.md`)
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
  assert.match(String(headers['content-security-policy']), /^sandbox; default-src 'none'/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(body, 'Passed already')
  assert.equal((await page.ask(`/s/${passed.id}/events.jsonl`)).status, 200)
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
    assert.equal((await page.ask(`/s/${passed.id}/${name}`)).status, 404, name)
})

test('a link, a hard link, a folder or a pipe under an allowed name is not there, and the page goes on', async () => {
  const secret = path.join(home, '.env')
  fs.writeFileSync(secret, 'GEMINI_API_KEY=secret')
  const { plan, contract, verdictText, verdictRecord } = passed.paths
  fs.symlinkSync(secret, plan)
  fs.linkSync(secret, contract)
  fs.rmSync(verdictRecord)
  fs.mkdirSync(verdictRecord)
  execFileSync('mkfifo', [verdictText])
  for (const name of ['plan.md', 'contract.md', 'verdict.md', 'verdict.json']) {
    const { status, body } = await page.ask(`/s/${passed.id}/${name}`)
    assert.equal(status, 404, name)
    assert.ok(!body.includes('secret'))
  }
  assert.match(await pageOf(passed.id), /all proved/)
})

test('a file beyond 1 MiB is cut and says so', async () => {
  const session = await createTestSession(workspace, '2026-11-18-long-0008')
  fs.writeFileSync(session.paths.plan, 'a'.repeat(1024 * 1024 + 5))
  const { body } = await page.ask(`/s/${session.id}/plan.md`)
  assert.equal(body.length, 1024 * 1024 + '\n[cut here: the file goes on beyond 1 MiB]\n'.length)
})

test('a torn line in the log is counted on the page, and the rest is shown', async () => {
  const session = await createTestSession(workspace, '2026-11-18-torn-0009', { happened: [started] })
  fs.appendFileSync(session.paths.events, '{"seq":3,"at":"20')
  assert.match(await pageOf(session.id), /1 line of the log could not be read/)
})

test('an address that names no session, or only a part of an id, is 404', async () => {
  for (const target of ['/s/2026-11-20-nobody-0000', '/s/0001', '/s/2026-11-19', '/nothing', '/s/', '/views/list.eta'])
    assert.equal((await page.ask(target)).status, 404, target)
})

test('the health answer says who we are', async () => {
  const { body } = await page.ask('/healthz')
  assert.deepEqual(JSON.parse(body), { name: 'claude-dispatch', home, pid: process.pid, version: '1.2.3' })
})

test('the style, the script and the icon are served as what they are', async () => {
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

test('the matrix leads from each sentence to its proof, and the session page leads to it', async () => {
  const contract = '# Contract: x\n\n## C1 — It prints <b>hello</b>\n- covers: S1\n- check: `sh hello.sh | cat`\n'
  const session = await createTestSession(workspace, '2026-11-17-matrix-0010', {
    title: 'Print hello. And be kind.',
    alive: true,
    happened: [
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
  assert.match(await pageOf(session.id), /href="\/s\/2026-11-17-matrix-0010\/matrix"/)
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
  assert.match(body, /data-label="verdict"><strong class="word good">PASS</)
  appendEvent(session.paths.events, { type: 'verdict.voided', reason: 'the head moved' }, 3, new Date())
  const voided = (await page.ask(`/s/${session.id}/matrix`)).body
  assert.match(voided, /<strong>Void:<\/strong> the head moved/)
  assert.doesNotMatch(voided, /word (big )?good">PASS|edge-good/)
  assert.equal((await page.ask('/s/2026-11-20-nobody-0000/matrix')).status, 404)
})

test('the matrix as one file asks for nothing and escapes what it shows', () => {
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
  const html = renderMatrixHtml(buildMatrix(input))
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

const verdictRecord = {
  round: 1,
  tree: createFakeHash('tree'),
  judge: 'gemini-2.5-pro',
  packetSha256: 'f'.repeat(64),
  sandbox: 'bubblewrap',
  findings: [],
  clauses: [{ id: 'C1', reason: 'red before, green now', judgement: { met: 'yes', reason: 'the output shows it' } }],
}

function queued(worker: string, blockedBy: string | null): EventBody {
  return { type: 'worker.queued', worker, kind: 'code', model: 'opus', clauses: ['C1'], files: [], blockedBy }
}

async function pageOf(id: string): Promise<string> {
  const { status, body } = await page.ask(`/s/${id}`)
  assert.equal(status, 200)
  return body
}

test('when notices do not arrive both pages say so in one line, as text; when they do, there is no such line', async () => {
  const silent = await startApp(home, () => 'the phone has not taken <script>1</script>')
  const addresses = ['/', `/s/${passed.id}`]
  for (const address of addresses) {
    assert.match(
      (await silent.ask(address)).body,
      /<strong>Notices do not arrive:<\/strong> the phone .*&lt;script&gt;1/,
    )
    assert.doesNotMatch((await page.ask(address)).body, /Notices do not arrive/)
  }
  silent.stop()
})
