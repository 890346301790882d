/** The compiler does not check what a template reads. Here every read of a missing field throws. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { Eta } from 'eta'
import { installFolder } from '#host/config'
import type { Session } from '#session'
import { readCurrentVerdict, readEvidence, readLog, readMatrix, readView, type SessionView } from '#session/readonly.ts'
import { buildListPage } from '#webui/pages/list.ts'
import { buildMatrixPage } from '#webui/pages/matrix.ts'
import { buildSessionPage, type SessionPage } from '#webui/pages/session.ts'
import type { MessagePage } from '#webui/render.ts'
import { createFullSession, createWebHome } from '../fixtures/web-sessions.ts'

const { workspace, remove } = createWebHome()
const eta = new Eta({ views: path.join(installFolder, 'webui/views'), cache: true })
const frame = { version: '1.2.3', home: '/dispatch', getChannelWarning: () => '' }
const channelWarning = '1 notification did not reach the phone'
const now = new Date()
let session: Session
let view: SessionView

before(async () => {
  session = await createFullSession(workspace)
  view = await readView(session)
})
after(remove)

test('the list templates read only fields of the page', () => {
  render('list', { ...buildListPage([view], { moreCount: 3 }, now), channelWarning })
  render('list', { ...buildListPage([], { moreCount: 0 }, now), channelWarning: '' })
})

test('the session templates read only fields of the page', () => {
  const page = buildSessionPage(
    {
      view,
      events: readLog(session.paths.events).events,
      evidence: readEvidence(session.paths),
      verdictRecord: readCurrentVerdict(session.paths, view.status),
      files: ['task.md'],
    },
    now,
  )
  assert.ok(page.verdict && page.clauses.every(({ reason }) => reason !== undefined))
  const details: Partial<SessionPage> = { problem: 'a problem', hiddenEvents: 2, unreadableLines: 1 }
  const verdict = { ...page.verdict, voidReason: 'outputs/ changed' }
  render('session', { ...page, ...details, verdict, channelWarning })
})

test('the matrix templates read only fields of the page', () => {
  const page = buildMatrixPage(readMatrix(view))
  const { coveredSentences, uncoveredSentences, excludedSentences, unlinkedClauses } = page
  for (const rows of [coveredSentences, uncoveredSentences, excludedSentences, unlinkedClauses])
    assert.ok(rows.length > 0)
  const details = { damage: ['task.md changed'], dilutions: ['C1 was removed'], voidReason: 'outputs/ changed' }
  render('matrix', { ...page, ...details, refreshMs: 0 })
})

test('the message template reads only fields of the page', () => {
  const page: MessagePage = { title: 'Not found', message: 'There is no such page.' }
  render('message', { ...page, refreshMs: 0 })
})

function render(template: string, page: object): void {
  const html = eta.render(`./${template}`, throwOnMissing({ frame, ...page }, template))
  assert.ok(!html.includes('undefined'), template)
}

/** Eta sets `body` before it renders the layout. */
const fieldsOfEta = ['body']

function throwOnMissing<Value extends object>(value: Value, place: string): Value {
  return new Proxy(value, {
    get(target, key, receiver) {
      const field: unknown = Reflect.get(target, key, receiver)
      if (typeof key === 'symbol') return field
      const isKnown = key in target || Array.isArray(target) || fieldsOfEta.includes(key)
      assert.ok(isKnown, `${place}.${key} does not exist`)
      return typeof field === 'object' && field !== null ? throwOnMissing(field, `${place}.${key}`) : field
    },
  })
}
