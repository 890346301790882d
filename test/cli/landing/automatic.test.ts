import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { addAutomatic } from '#cli/landing/automatic.ts'
import { readDefaultConfig } from '#host/config'
import { identify } from '#host/process'
import { getLandingFolder, LandingQueue } from '#landing'
import { addProject, RegisteredProject } from '#projects'
import { appendEvent } from '#session/log'
import { prepareRepository } from '#session/repository'
import { readView } from '#session/status'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createEntry } from '../../fixtures/landing-entry.ts'
import { createTestSession } from '../../fixtures/new-session.ts'

test('a session that a person puts in while git is asked about it stays as the person wants it', async t => {
  const { path: checkout, commit } = await createRepository(t, { a: '' })
  const repository = { path: checkout, commit, uncommittedFiles: 0 }
  const session = createTestSession(t, { repository, openedAt: '2026-11-30T10:00:00.000Z' })
  const config = readDefaultConfig({ DISPATCH_HOME: path.dirname(path.dirname(session.paths.folder)) })
  const since = '2026-11-30T09:00:00.000Z'
  const landing = { method: 'squash', author: 'me', since }
  const project = { name: 'shop', prefix: 's', path: checkout, remote: null, targetBranch: 'main', maxSessions: null }
  addProject(config.home, RegisteredProject.parse({ ...project, landing, addedAt: since }))
  const verdict = { round: 1, verdict: 'PASS', reason: '', isFinal: true, independence: '' } as const
  const work = await prepareRepository(session.paths, 'work', checkout)
  const { events } = session.paths
  appendEvent(events, { type: 'verdict.given', ...verdict, ...work, clauses: [] }, 0, new Date())
  appendEvent(events, { type: 'session.closed', actor: 'you', reason: '' }, 1, new Date())
  const view = await readView(session)
  assert.equal(view.state, 'PASS')
  const said: string[] = []
  const attendedBy = (await identify(process.pid)) ?? assert.fail()
  const queue = new LandingQueue(await getLandingFolder(config.home, checkout))
  const adding = addAutomatic(config, [view], text => void said.push(text))
  queue.add(createEntry({ session: session.id, checkout, attendedBy }))
  await adding
  assert.deepEqual(
    queue.list().map(({ state, attendedBy: waits }) => [state, waits?.pid]),
    [['waiting', process.pid]],
  )
  assert.equal(said.length, 0, said.join())

  queue.drop(session.id, 'not wanted')
  await addAutomatic(config, [view], text => void said.push(text))
  assert.deepEqual([queue.list().length, said.length], [1, 0], 'nor does it come back when it was taken out')
})
