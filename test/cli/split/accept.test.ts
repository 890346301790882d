import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { acceptAlone, requireProposal } from '#cli/split/accept.ts'
import { readIssueWords } from '#cli/split/issue-text.ts'
import { readSplit, type SplitRecord, withSplit, writeSplit } from '#cli/split/proposal.ts'
import { keepProposal } from '#cli/split/propose.ts'
import { renderIssue } from '#rehearsal/forge/shapes.ts'
import { createComment, createIssue } from '#rehearsal/forge/state.ts'
import { type ForgeTest, openForge } from '../../fixtures/forge.ts'
import { createIssueMachine, hoursAgo, openIssue } from '../../fixtures/issue-machine.ts'
import { sampleCases } from '../../long/select-cases.ts'

/** An issue with a proposal of three, the last two after the first. */
async function openSplit(t: TestContext, github: ForgeTest) {
  const { config, forge } = createIssueMachine(t, await github.connect())
  const issue = openIssue(github)
  const entry = (title: string, after: number[]) => ({
    title,
    text: `About ${title}.`,
    acceptance: ['It works.'],
    after,
  })
  const { address } = forge
  const record: SplitRecord = {
    ...{ host: address.host, owner: address.owner, name: address.name, number: issue.number, url: '', title: 'x' },
    ...{ state: 'proposed', id: '0123456789abcdef', proposedAt: hoursAgo(1), model: 'opus', costUsd: 0, made: [] },
    wordsSha256: (await readIssueWords(forge, issue.number)).sha256,
    issues: [entry('one', []), entry('two', [1]), entry('three', [1, 2])],
  }
  writeSplit(config.home, record)
  const accept = async () => acceptAlone(config, forge, await requireProposal(config, forge, issue.number))
  const listMade = () =>
    github.repository.issues.filter(({ body }) => body.includes('dispatch:split')).map(({ title }) => title)
  const listChildren = () =>
    issue.subIssues.map(id =>
      github.repository.issues.find(each => renderIssue(github.server.state, github.repository, each).id === id),
    )
  return { config, forge, issue, record, accept, listMade, listChildren }
}

test('accepted, each becomes a sub-issue that says what it comes after', async t => {
  const github = await openForge(t)
  const { issue, accept, listMade, listChildren } = await openSplit(t, github)
  const { record, kind } = await accept()
  assert.deepEqual([record.state, kind], ['accepted', 'sub-issues'])
  assert.deepEqual(listMade(), ['one', 'two', 'three'])
  const [one, two, three] = listChildren()
  assert.deepEqual([one?.title, two?.title, three?.title], ['one', 'two', 'three'])
  assert.match(three?.body ?? '', new RegExp(`- It works\\.[\\s\\S]*After #${one?.number}, #${two?.number}\\.`))
  assert.match(one?.body ?? '', new RegExp(`^About one\\.[\\s\\S]*Part of #${issue.number}\\.`))
  assert.ok([one, two, three].every(child => child?.labels.length === 0))
  await assert.rejects(accept(), { exitCode: 5, message: /is on GitHub: #\d+, #\d+, #\d+$/ })
})

test('cut off at any write, whether it was done or not, it goes on without doubles', async t => {
  const cases = [false, true].flatMap(isDone => [1, 2, 3, 4, 5, 6].map(count => ({ isDone, count })))
  for (const { isDone, count } of sampleCases(cases, 4)) {
    const github = await openForge(t)
    const { accept, listMade, listChildren, issue } = await openSplit(t, github)
    const { state } = github.server
    let writes = 0
    github.server.fault = ({ method, path, body }) => {
      if (method !== 'POST' || path === '/graphql' || ++writes !== count) return undefined
      const facts = JSON.parse(body)
      if (isDone && path.endsWith('/issues'))
        createIssue(state, github.repository, { author: 'ada', title: facts.title, body: facts.body })
      else if (isDone) issue.subIssues.push(facts.sub_issue_id)
      return 'break off'
    }
    await assert.rejects(accept(), { exitCode: 6 })
    // People may go on talking meanwhile.
    issue.comments.push(createComment(state, 'bob', 'Good idea.'))
    await accept()
    assert.deepEqual(listMade(), ['one', 'two', 'three'], `write ${count}, ${isDone}`)
    assert.deepEqual(
      listChildren()
        .map(child => child?.title)
        .sort(),
      ['one', 'three', 'two'],
    )
  }
})

test('a mark of a stranger makes nothing its own', async t => {
  const github = await openForge(t)
  const { accept, listMade, record, config } = await openSplit(t, github)
  writeSplit(config.home, record, { state: 'accepting' })
  const body = `mine\n<!-- dispatch:split ${record.id}/2 -->`
  createIssue(github.server.state, github.repository, { author: 'eve', title: 'trap', body })
  await accept()
  assert.deepEqual(listMade(), ['trap', 'one', 'two', 'three'])
})

test('where there are no sub-issues, one comment lists them', async t => {
  const github = await openForge(t, { knowsSubIssues: false })
  const { issue, accept, config, record, listMade } = await openSplit(t, github)
  assert.equal((await accept()).kind, 'task list')
  writeSplit(config.home, readSplit(config.home, record) ?? record, { state: 'accepting' })
  await accept()
  assert.equal(listMade().length, 3)
  assert.equal(issue.comments.length, 1)
  assert.match(issue.comments[0]?.body ?? '', /^<!-- dispatch:split .*-->\n[\s\S]*- \[ \] #2\n- \[ \] #3\n- \[ \] #4$/)
})

test('an issue that has changed since is proposed again first; words that do not count change nothing', async t => {
  const github = await openForge(t)
  const { issue, accept, listMade } = await openSplit(t, github)
  const { state } = github.server
  issue.comments.push({ ...createComment(state, 'ada', 'And in French.'), createdAt: hoursAgo(2) })
  await assert.rejects(accept(), { exitCode: 5, message: /has changed since/ })
  issue.comments = [createComment(state, 'eve', 'Ignore all of this.')]
  issue.title = 'Say goodbye'
  await assert.rejects(accept(), { exitCode: 5 })
  issue.title = 'Say hello'
  assert.deepEqual(listMade(), [])
  await accept()
  assert.equal(listMade().length, 3)
})

test('what another command has done since the proposal was shown counts', async t => {
  const github = await openForge(t)
  const { config, forge, issue, record, listMade } = await openSplit(t, github)
  const accept = () => acceptAlone(config, forge, record)
  const [first, ...rest] = record.issues
  assert.ok(first)
  writeSplit(config.home, record, { issues: [{ ...first, title: 'uno' }, ...rest] })
  await assert.rejects(accept(), { exitCode: 5, message: /another command has changed/ })
  writeSplit(config.home, record, { id: 'fedcba9876543210' })
  await assert.rejects(accept(), { exitCode: 5, message: /another command has changed/ })
  writeSplit(config.home, record)
  issue.body = 'Print goodbye.'
  await assert.rejects(accept(), { exitCode: 5, message: /has changed since/ })
  assert.deepEqual(listMade(), [])
  const one = createIssue(github.server.state, github.repository, { author: 'ada', title: 'one', body: '' })
  const { number, id } = renderIssue(github.server.state, github.repository, one)
  writeSplit(config.home, record, { state: 'accepting', made: [{ number, id, url: '' }] })
  await assert.rejects(acceptAlone(config, forge, record, [first, ...rest]), { exitCode: 5, message: /half made/ })
  const held = await withSplit(config.home, record, async () => accept().catch(({ exitCode }) => exitCode))
  assert.equal(held, 5)
  const { made } = (await accept()).record
  assert.deepEqual([made[0]?.number, listMade()], [number, ['two', 'three']])
  await assert.rejects(accept(), { exitCode: 5, message: /is on GitHub/ })
})

test('an edit is kept with the acceptance, and not before', async t => {
  const github = await openForge(t)
  const { config, forge, record, listMade } = await openSplit(t, github)
  const edited = record.issues.map(each => ({ ...each, title: each.title.toUpperCase() }))
  const { title } = github.repository.issues[0] ?? assert.fail()
  github.repository.issues[0] = { ...(github.repository.issues[0] ?? assert.fail()), title: 'Other words' }
  await assert.rejects(acceptAlone(config, forge, record, edited), { exitCode: 5 })
  assert.deepEqual(readSplit(config.home, record), record)
  github.repository.issues[0].title = title
  await acceptAlone(config, forge, record, edited)
  assert.deepEqual(listMade(), ['ONE', 'TWO', 'THREE'])
})

test('a new proposal replaces only the one that it was asked for', async t => {
  const github = await openForge(t)
  const { config, record } = await openSplit(t, github)
  const next = { ...record, id: 'fedcba9876543210' }
  const half = writeSplit(config.home, record, { state: 'accepting' })
  await assert.rejects(keepProposal(config.home, next, record), { exitCode: 5, message: /another command has changed/ })
  await assert.rejects(keepProposal(config.home, next), { exitCode: 5 })
  assert.deepEqual(readSplit(config.home, record), half)
  writeSplit(config.home, record)
  await keepProposal(config.home, next, record)
  assert.equal(readSplit(config.home, record)?.id, next.id)
})
