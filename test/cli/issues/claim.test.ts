/** An issue belongs to one machine at a time, and nothing is lost on the way there. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test } from 'node:test'
import { giveBack } from '#cli/issues/claim.ts'
import { writeRecord } from '#cli/issues/record.ts'
import { releaseIssue } from '#cli/issues/release.ts'
import { getKey } from '#cli/issues/take-issue.ts'
import { readComments } from '#forge/issues'
import { git } from '#host/git'
import { openForge } from '../../fixtures/forge.ts'
import { createIssueMachine, openIssue, readClaimTraces } from '../../fixtures/issue-machine.ts'
import { listQueue } from '../../fixtures/list-queue.ts'
import { sampleCases } from '../../long/select-cases.ts'

test('of two machines that claim the same issue at the same moment, one gets it', async t => {
  const github = await openForge(t)
  const machines = [
    createIssueMachine(t, await github.connect('ada')),
    createIssueMachine(t, await github.connect('bob')),
  ]
  for (let round = 0; round < 4; round++) {
    const issue = openIssue(github)
    const results = await Promise.allSettled(machines.map(machine => machine.start(issue.number)))
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const lost = results.find(result => result.status === 'rejected')
    assert.equal(lost?.reason.exitCode, 5)
    assert.match(lost?.reason.message, /is claimed: /)
    const { marks, branches } = await readClaimTraces(github, issue)
    assert.deepEqual([marks.length, branches], [1, 1])
  }
  const items = await Promise.all(machines.map(({ config }) => listQueue(config.home)))
  assert.equal(items.flat().length, 4)
})

test('asked for twice, it is the same claim and the same item', async t => {
  const github = await openForge(t)
  const machine = createIssueMachine(t, await github.connect())
  const issue = openIssue(github)
  assert.equal(await machine.start(issue.number), 'q-1')
  assert.equal(await machine.start(issue.number), 'q-1')
  assert.equal((await machine.take(issue.number)).isNew, false)
  assert.equal((await readClaimTraces(github, issue)).marks.length, 1)
})

test('killed at any request, the next command goes on: claimed once, in the queue once', async t => {
  const github = await openForge(t)
  const killed: number[] = []
  const requests = Array.from({ length: MAX_REQUESTS }, (_, at) => at + 1)
  for (const request of sampleCases(requests, 4)) {
    const machine = createIssueMachine(t, await github.connect())
    const { home } = machine.config
    const issue = openIssue(github)
    const token = Object.keys(github.server.state.tokens).at(-1) ?? ''
    const taking = runTaker(home, token, github.server.apiUrl, issue.number, pid => {
      let seen = 0
      github.server.fault = () => {
        // What it asked for is done all the same.
        if (++seen === request) process.kill(pid(), 'SIGKILL')
        return undefined
      }
    })
    const { signal } = await taking
    github.server.fault = undefined
    await machine.start(issue.number)
    const { marks, branches } = await readClaimTraces(github, issue)
    assert.deepEqual([marks.length, branches], [1, 1], `killed at request ${request}`)
    assert.equal((await listQueue(home)).length, 1, `killed at request ${request}`)
    if (signal !== null) killed.push(request)
  }
  assert.ok(killed.length > 0)
})

test('a dead network leaves nothing that the next command does not go on with', async t => {
  const github = await openForge(t)
  const machine = createIssueMachine(t, await github.connect())
  const issue = openIssue(github)
  github.server.fault = ({ method }) => (method === 'POST' ? 'break off' : undefined)
  await assert.rejects(machine.start(issue.number), { exitCode: 6 })
  github.server.fault = undefined
  assert.equal(await machine.start(issue.number), 'q-1')
  const { marks, branches } = await readClaimTraces(github, issue)
  assert.deepEqual([marks.length, branches], [1, 1])
})

test('a claim of another machine is refused, and a person can take it over', async t => {
  const github = await openForge(t)
  const [first, second] = [
    createIssueMachine(t, await github.connect('ada')),
    createIssueMachine(t, await github.connect('bob')),
  ]
  const issue = openIssue(github)
  await first.start(issue.number)
  const refused = second.take(issue.number)
  await assert.rejects(refused, { exitCode: 5, message: /@ada has claimed it on the machine/, remedy: /--take-over/ })
  const { record } = await second.take(issue.number, { takesOver: true })
  assert.equal(record.state, 'claimed')
  const { marks, branches } = await readClaimTraces(github, issue)
  assert.deepEqual([marks.map(({ author }) => author), branches], [['bob'], 1])
})

test('what others have put on the branch of a claim stays, also where the claim was taken over or cut off', async t => {
  const github = await openForge(t)
  const [first, second] = [
    createIssueMachine(t, await github.connect('ada')),
    createIssueMachine(t, await github.connect('bob')),
  ]
  const issue = openIssue(github)
  await first.start(issue.number)
  await github.commit('main', 'more', 'words\n', 'main')
  await second.take(issue.number, { takesOver: true })
  assert.deepEqual(await giveBackOf(second, issue.number), [], 'no other person has gone on there')
  assert.equal((await readClaimTraces(github, issue)).branches, 0)

  const other = openIssue(github)
  await first.start(other.number)
  await github.commit(`dispatch/issue-${other.number}`, 'own', 'words\n', 'main')
  await second.take(other.number, { takesOver: true })
  assert.match((await giveBackOf(second, other.number)).join(), /other commits/)
  assert.equal((await readClaimTraces(github, other)).branches, 1)

  const cutOff = openIssue(github)
  const { record } = await first.take(cutOff.number)
  await github.commit(`dispatch/issue-${cutOff.number}`, 'own', 'words\n', 'main')
  const before = writeRecord(first.config.home, record, { state: 'claiming', branchTip: null })
  assert.match((await giveBack(first.config.home, first.forge, before, '')).join(), /other commits/)
})

test('an App knows its own claim again, to which GitHub gives no role', async t => {
  const github = await openForge(t)
  const machine = createIssueMachine(t, await github.connectApp())
  const issue = openIssue(github)
  assert.equal(await machine.start(issue.number), 'q-1')
  assert.equal(await machine.start(issue.number), 'q-1')
  const { marks, branches } = await readClaimTraces(github, issue)
  assert.deepEqual([marks.map(({ author }) => author), branches], [['night-shift[bot]'], 1])
  const other = createIssueMachine(t, await github.connectApp())
  await assert.rejects(other.take(issue.number), { exitCode: 5, message: /has claimed it on the machine/ })
  await other.take(issue.number, { takesOver: true })
  assert.equal((await readClaimTraces(github, issue)).marks.length, 1, 'the mark that it took over is gone')
})

test('the mark of a stranger, and of a member who may only read, holds nothing up', async t => {
  const github = await openForge(t)
  const issue = openIssue(github)
  const { createComment } = await import('#rehearsal/forge/state.ts')
  const mark = { claim: '0123456789abcdef', machine: 'mine', at: new Date().toISOString() }
  const body = `<!-- dispatch:claim ${JSON.stringify(mark)} -->`
  issue.comments.push(createComment(github.server.state, 'eve', body))
  const comment = createComment(github.server.state, 'tim', body)
  github.repository.roles['tim'] = 'triage'
  issue.comments.push(comment)
  const machine = createIssueMachine(t, await github.connect())
  assert.equal((await readComments(machine.forge, issue.number)).at(-1)?.association, 'COLLABORATOR')
  assert.equal(await machine.start(issue.number), 'q-1')
})

test('what is given back leaves nothing, and can be claimed again', async t => {
  const github = await openForge(t)
  const [first, second] = [
    createIssueMachine(t, await github.connect('ada')),
    createIssueMachine(t, await github.connect('bob')),
  ]
  const issue = openIssue(github)
  await first.start(issue.number)
  assert.deepEqual(await giveBackOf(first, issue.number), [])
  assert.deepEqual(await readClaimTraces(github, issue), { marks: [], branches: 0 })
  await second.start(issue.number)
  await github.commit(`dispatch/issue-${issue.number}`, 'own', 'words\n', 'main')
  assert.match((await giveBackOf(second, issue.number)).join(), /other commits/)
  assert.deepEqual(await readClaimTraces(github, issue), { marks: [], branches: 1 })
})

test('release takes the item out of the queue, and needs a claim', async t => {
  const github = await openForge(t)
  const machine = createIssueMachine(t, await github.connect())
  const issue = openIssue(github)
  const key = getKey(machine.forge, issue.number)
  await assert.rejects(releaseIssue(machine.config, key), { exitCode: 4 })
  await machine.start(issue.number)
  const token = Object.keys(github.server.state.tokens).at(-1) ?? ''
  const config = { ...machine.config, GITHUB_TOKEN: token, GITHUB_API_URL: github.server.apiUrl }
  assert.deepEqual(await releaseIssue(config, key), [])
  assert.equal((await listQueue(config.home))[0]?.state, 'cancelled')
  assert.equal(machine.records()[0]?.state, 'given back')
  assert.equal(await machine.start(issue.number), 'q-2')
  const [held] = machine.records()
  assert.ok(held)
  writeRecord(config.home, held, { state: 'ended' })
  assert.deepEqual(await releaseIssue(config, key), [], 'also what has ended long ago')
  assert.deepEqual(await readClaimTraces(github, issue), { marks: [], branches: 0 })
})

test('what another machine has is not deleted by the release of a claim that was lost', async t => {
  const github = await openForge(t)
  const [winner, loser] = [
    createIssueMachine(t, await github.connect('ada')),
    createIssueMachine(t, await github.connect('bob')),
  ]
  const issue = openIssue(github)
  await winner.start(issue.number)
  issue.comments.length = 0 // It is between the two steps.
  await assert.rejects(loser.take(issue.number), { exitCode: 5 })
  const token = Object.keys(github.server.state.tokens).at(-1) ?? ''
  const config = { ...loser.config, GITHUB_TOKEN: token, GITHUB_API_URL: github.server.apiUrl }
  assert.match((await releaseIssue(config, getKey(loser.forge, issue.number))).join(), /dispatch\/issue-1/)
  assert.equal((await readClaimTraces(github, issue)).branches, 1)
})

test('a closed issue and a pull request are refused', async t => {
  const github = await openForge(t)
  const machine = createIssueMachine(t, await github.connect())
  const issue = openIssue(github)
  issue.state = 'closed'
  await assert.rejects(machine.take(issue.number), { exitCode: 5, message: /is closed/ })
  await assert.rejects(machine.take(99), { exitCode: 4 })
  assert.equal(await git(['--git-dir', github.repository.folder, 'branch', '--list', 'dispatch/*']), '')
})

/** A few more than it makes. */
const MAX_REQUESTS = 15

async function giveBackOf(machine: ReturnType<typeof createIssueMachine>, number: number): Promise<string[]> {
  const record = machine.records().find(each => each.number === number)
  assert.ok(record)
  return giveBack(machine.config.home, machine.forge, record, 'a test')
}

/** Runs it as a process of its own; `watch` gets what returns its pid. */
async function runTaker(
  home: string,
  token: string,
  apiUrl: string,
  number: number,
  watch: (pid: () => number) => void,
) {
  const child = fork(path.join(import.meta.dirname, '../../fixtures/issue-taker.ts'), [
    home,
    token,
    apiUrl,
    String(number),
  ])
  watch(() => child.pid ?? 0)
  const [exitCode, signal] = await once(child, 'exit')
  return { exitCode: exitCode as number | null, signal: signal as string | null }
}
