/** The compiler does not check what a template reads. Here every read of a missing field throws. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { Eta } from 'eta'
import { installFolder } from '#host/config'
import type { Session } from '#session'
import { readCurrentVerdict, readEvidence, readLog, readMatrix, readView, type SessionView } from '#session/readonly.ts'
import { buildFilePage, type FileData } from '#webui/pages/file.ts'
import { buildFolderPage } from '#webui/pages/folder.ts'
import { buildListPage } from '#webui/pages/list.ts'
import { buildMatrixPage } from '#webui/pages/matrix.ts'
import { buildSessionPage, type SessionPage } from '#webui/pages/session.ts'
import type { MessagePage } from '#webui/render.ts'
import { createFullSession, createWebHome } from '../fixtures/web-sessions.ts'

const { workspace, remove } = createWebHome()
const eta = new Eta({ views: path.join(installFolder, 'webui/views'), cache: true })
const frame = {
  version: '1.2.3',
  home: '/dispatch',
  getChannelWarning: () => '',
  getCodeWarning: () => 'the page runs older code',
}
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

const change = {
  ...{ path: 'new', status: 'renamed' as const, oldPath: 'old', oldMode: '100644', oldHash: 'a', mode: '100755' },
  ...{ hash: 'b', addedLines: 1, deletedLines: undefined },
}
const changes = { files: [change], isCounted: false, isCut: true }
const work = { origin: 'judged' as const, commit: 'c' }

test('the session templates read only fields of the page', () => {
  const page = buildSessionPage(
    {
      view,
      events: readLog(session.paths.events).events,
      evidence: readEvidence(session.paths),
      verdictRecord: readCurrentVerdict(session.paths, view.status),
      files: ['task.md'],
      work: { work: { origin: 'judged', commit: 'c', tree: 't' }, changes, problem: 'a problem' },
      installedVersion: '1.2.4',
    },
    now,
  )
  assert.ok(page.verdict && page.clauses.every(({ reason }) => reason !== undefined))
  const details: Partial<SessionPage> = {
    problem: 'a problem',
    hiddenEvents: 2,
    unreadableLines: 1,
    runnerWarning: 'old',
  }
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

test('the templates of folders and files read only fields of the page', () => {
  const entry = { name: 'new', mode: '120000', kind: 'link' as const, hash: 'b' }
  const folder = { sessionId: 'x', work, names: ['a'], entries: [entry], count: 2000, page: 2, sizes: new Map() }
  const deleted = { ...change, path: 'a/gone', status: 'deleted' as const }
  render('folder', buildFolderPage({ ...folder, changes: [change, deleted] }))
  const file: FileData = {
    ...{ sessionId: 'x', work, names: ['a', 'new'], entry, tree: 't', change, size: 3, shapes: ['change', 'text'] },
    ...{ shape: 'text', lines: ['a'], diff: [{ kind: 'added', mark: '+', number: '1', text: 'a' }] },
    ...{ markdownHtml: '', images: [{ label: 'Before', address: '/' }], remarks: ['cut'] },
    ...{ download: '/', lfsDownload: '/', command: 'git' },
  }
  for (const shape of ['change', 'page', 'image', 'text'] as const) render('file', buildFilePage({ ...file, shape }))
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
