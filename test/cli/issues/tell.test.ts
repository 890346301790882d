/** What is told on GitHub of the work on an issue: one comment, which is true. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ensureStarted } from '#cli/issues/start.ts'
import { IssueMemory, tendIssues } from '#cli/issues/tell.ts'
import { openQueue, type Queue } from '#queue'
import { type ForgeTest, openForge } from '../../fixtures/forge.ts'
import { createIssueMachine, openIssue, readClaimTraces } from '../../fixtures/issue-machine.ts'

test('a comment is edited when the work has gone on, and only then', async t => {
  const github = await openForge(t)
  const { machine, tend } = await openHome(t, github)
  const issue = openIssue(github)
  await machine.start(issue.number)
  await tend()
  assert.match(issue.comments[0]?.body ?? '', /^<!-- dispatch:claim .*\n.*it waits in the queue \(q-1\)/)
  const count = github.server.requests.length
  await tend()
  assert.equal(github.server.requests.length, count, 'nothing was asked')
  await changeQueue(machine.config.home, async queue => {
    const { process } = globalThis
    const self = { pid: process.pid, startTime: '1', bootId: 'x', place: null } as never
    const claimant = { process: self, capabilities: [], slots: 1, roomByRepository: {}, defaultRoom: 9 }
    const [claim] = await queue.claim(claimant)
    assert.ok(claim)
    await queue.settle(claim, { kind: 'needs you', reason: 'it ```does``` not start @mallory' })
  })
  await tend()
  assert.equal(issue.comments.length, 1)
  assert.match(
    issue.comments[0]?.body ?? '',
    /does not start by itself[\s\S]*````text\nit ```does```[\s\S]*dispatch queue show q-1/,
  )
})

test('a secret is never told', async t => {
  const github = await openForge(t)
  const { machine, tend } = await openHome(t, github)
  const issue = openIssue(github)
  const { record } = await machine.take(issue.number)
  await ensureStarted(machine.config, record)
  await changeQueue(machine.config.home, async queue => {
    const self = { pid: 1, startTime: '1', bootId: 'x', place: null } as never
    const [claim] = await queue.claim({
      process: self,
      capabilities: [],
      slots: 1,
      roomByRepository: {},
      defaultRoom: 9,
    })
    assert.ok(claim)
    await queue.settle(claim, { kind: 'needs you', reason: `no login with ${SECRET}` })
  })
  await tend()
  const body = issue.comments[0]?.body ?? ''
  assert.match(body, /no login with/)
  assert.ok(!body.includes(SECRET))
})

test('while GitHub is away nothing is lost, and it is said once', async t => {
  const github = await openForge(t)
  const { machine, tend, said, forget } = await openHome(t, github)
  const issue = openIssue(github)
  await machine.start(issue.number)
  github.server.fault = () => 'break off'
  await tend()
  await tend()
  forget()
  await tend()
  assert.equal(said.filter(line => /cannot be reached/.test(line)).length, 2, 'once in the life of a process')
  github.server.fault = undefined
  forget()
  await tend()
  assert.match(issue.comments[0]?.body ?? '', /it waits in the queue/)
})

test('an item that was taken out gives its issue back', async t => {
  const github = await openForge(t)
  const { machine, tend, said } = await openHome(t, github)
  const issue = openIssue(github)
  await machine.start(issue.number)
  await changeQueue(machine.config.home, queue => queue.cancel('q-1', 'you took it out'))
  await tend()
  assert.deepEqual(await readClaimTraces(github, issue), { marks: [], branches: 0 })
  assert.match(said.join('\n'), /given back, q-1 was taken out/)
  assert.equal(machine.records()[0]?.state, 'given back')
})

test('a claim that was taken over ends here, and what waits is taken out', async t => {
  const github = await openForge(t)
  const { machine, tend } = await openHome(t, github)
  const other = createIssueMachine(t, await github.connect('bob'))
  const issue = openIssue(github)
  await machine.start(issue.number)
  await other.take(issue.number, { takesOver: true })
  await tend()
  assert.equal(machine.records()[0]?.state, 'lost')
  const state = await changeQueue(machine.config.home, async queue => (await queue.find('q-1'))?.state)
  assert.equal(state, 'cancelled')
  assert.equal((await readClaimTraces(github, issue)).marks.length, 1)
})

test('a claim that was cut off is finished, and put into the queue', async t => {
  const github = await openForge(t)
  const { machine, tend } = await openHome(t, github)
  const issue = openIssue(github)
  github.server.fault = ({ method, path }) =>
    method === 'POST' && path.endsWith('/comments') ? 'break off' : undefined
  await assert.rejects(machine.take(issue.number), { exitCode: 6 })
  github.server.fault = undefined
  await tend()
  const [record] = machine.records()
  assert.deepEqual([record?.state, record?.item], ['claimed', 'q-1'])
  assert.equal((await readClaimTraces(github, issue)).marks.length, 1)
})

const SECRET = 'AIzaSy-distinctive-value-0123456789'

async function openHome(t: TestContext, github: ForgeTest) {
  const machine = createIssueMachine(t, await github.connect('ada'))
  const token = Object.keys(github.server.state.tokens).at(-1) ?? ''
  const login = { GITHUB_TOKEN: token, GITHUB_API_URL: github.server.apiUrl, GEMINI_API_KEY: SECRET }
  const config = { ...machine.config, ...login }
  const said: string[] = []
  let memory = new IssueMemory()
  return {
    machine,
    said,
    tend: () => tendIssues(config, memory, line => said.push(line)),
    /** As a new process: it rests no longer. */
    forget() {
      memory = new IssueMemory()
    },
  }
}

async function changeQueue<Result>(home: string, change: (queue: Queue) => Promise<Result>): Promise<Result> {
  const queue = await openQueue(home, { readSessionEnd: async () => 'pending' })
  try {
    return await change(queue)
  } finally {
    queue.close()
  }
}
