import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { createInboxHome } from '../../fixtures/inbox-home.ts'
import { areAllCasesWanted, pickTurn } from '../../long/select-cases.ts'

/** `npm test` kills it before every fourth step, from another one each day. */
const STRIDE = areAllCasesWanted ? 1 : 4

const taker = path.join(import.meta.dirname, '../../fixtures/inbox-taker.ts')

test('a process that is killed before any of its steps loses no task and doubles none', async t => {
  const { home, move, look, inbox, readItems, countNotifications, project } = await createInboxHome(t)
  let count = 0
  for (let isOver = false, step = 1 + pickTurn(STRIDE); !isOver; step += STRIDE) {
    count++
    move(`${step}.md`, `task ${step}`)
    move(`bad-${step}.md`, '---\npriorty: high\n---\nx')
    const ran = await runProgram(process.execPath, [taker, home, `${step}`], {
      env: { PATH: process.env['PATH'] ?? '' },
    })
    isOver = ran.exitCode === 0
    assert.ok(isOver || ran.signal === 'SIGKILL', ran.stderr)
    await look(true) // The next daemon.
  }
  const tasks = (await readItems()).map(({ task }) => `${task}`)
  assert.equal(new Set(tasks).size, tasks.length, 'no task is there twice')
  assert.equal(tasks.length, count, 'each task is there')
  assert.ok(count > 20 / STRIDE, `${count} steps`)
  const rejected = fs.readdirSync(inbox).filter(name => name.endsWith('.rejected'))
  assert.equal(rejected.length, count)
  assert.equal(countNotifications(), count, 'each refusal is told once')
  const taken = fs.readdirSync(path.join(project.path, '.agent-queue/taken'))
  assert.equal(taken.length, count)
  assert.ok(taken.every(name => /^q-\d+-[0-9a-f]{16}$/.test(name)))
  t.diagnostic(`${count - 1} kills, ${count} tasks and as many refusals: 0 lost, 0 twice`)
})
