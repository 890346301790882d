/** One session that has its PASS, opened as a pull request on a scripted GitHub, with real git over HTTP. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { ScriptedForge } from '#rehearsal/forge/scripted-forge.ts'
import type { ScriptedRepository } from '#rehearsal/forge/state.ts'
import { helloTask } from '#rehearsal/hello.ts'
import type { Session } from '#session'
import { auditSession } from '#session/audit'
import { type ForgeRig, openForgeRig, TOKEN } from '../fixtures/forge-rig.ts'
import type { Rig } from '../fixtures/rig.ts'

/** Words of the contract. */
const WITHHELD = 'Running hello.sh prints hello'

describe('the work of a session becomes a pull request', () => {
  let setup: ForgeRig
  let rig: Rig
  let forge: ScriptedForge
  let repository: ScriptedRepository
  let folder = ''

  const git = (cwd: string, ...args: string[]) => setup.git(cwd, ...args)
  const createSession = () => setup.createSession()
  const open = ({ id }: Session, ...options: string[]) => rig.dispatch(['pr', id, '--json', ...options])
  const readHead = (branch: string, format: string) =>
    git(repository.folder, 'log', '-1', `--format=${format}`, `refs/heads/${branch}`)
  const listPulls = (branch: string) => repository.issues.filter(({ pull }) => pull?.headBranch === branch)
  const audit = async ({ paths }: Session) => {
    const { problems, isSound } = await auditSession(paths.folder)
    assert.ok(isSound, JSON.stringify(problems))
  }

  before(async () => {
    setup = await openForgeRig()
    ;({ rig, forge, repository, folder } = setup)
  })
  after(() => setup.close())

  it('with the judged tree as one commit, the task and the matrix, and no secret', async () => {
    const session = createSession()
    fs.mkdirSync(session.paths.ignoredFiles, { recursive: true })
    fs.writeFileSync(path.join(session.paths.ignoredFiles, '.env'), `APP_PASSWORD="${WITHHELD}"\n`)
    const ran = await open(session, '--label', 'dispatch', '--reviewer', 'bob', '--closes', '12')
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    const { number, url, isNew, isDraft, branch, problems } = JSON.parse(ran.stdout)
    assert.deepEqual([isNew, isDraft, problems], [true, false, []])
    assert.equal(branch, `dispatch/${session.id}`)
    const { verdict, base } = rig.readStatus(session.id)
    assert.equal(await readHead(branch, '%T %P %an'), `${verdict?.tree} ${base?.commit} Ada`)
    assert.match(await readHead(branch, '%B'), new RegExp(`Dispatch-Session: ${session.id}`))
    const [issue, ...others] = listPulls(branch)
    assert.deepEqual(others, [])
    assert.ok(issue)
    assert.deepEqual([issue.labels, issue.pull?.requestedReviewers], [['dispatch'], ['bob']])
    for (const words of [
      '## What was asked',
      helloTask.split('\n')[0] ?? '',
      '## Dispatch: PASS',
      '| clause |',
      'Closes #12',
    ])
      assert.ok(issue.body.includes(words), `${words}\n${issue.body}`)
    const shown = await rig.dispatch(['show', session.id])
    assert.ok(shown.stdout.includes(url), shown.stdout)
    assert.equal(number, issue.number)
    for (const file of [session.paths.events, session.paths.task])
      assert.ok(!fs.readFileSync(file, 'utf8').includes(TOKEN), file)
    assert.ok(!ran.stderr.includes(TOKEN) && !issue.body.includes(TOKEN))
    // A clause says it, and the project hands on a file that has it as a secret.
    const said = [issue.body, issue.title, await readHead(branch, '%B')]
    assert.ok(issue.body.includes('secret withheld: known value'), issue.body)
    assert.ok(!said.join('\n').includes(WITHHELD), said.join('\n'))
    await audit(session)
  })

  it('and a second run finds it, pushes nothing and records nothing', async () => {
    const session = createSession()
    assert.equal((await open(session)).exitCode, 0)
    const [issue] = listPulls(`dispatch/${session.id}`)
    const events = rig.readEvents(session.id).length
    const commit = await readHead(`dispatch/${session.id}`, '%H')
    const again = await open(session)
    assert.equal(again.exitCode, 0, again.stderr)
    assert.equal(JSON.parse(again.stdout).isNew, false)
    assert.equal(JSON.parse(again.stdout).number, issue?.number)
    assert.equal(rig.readEvents(session.id).length, events)
    assert.equal(await readHead(`dispatch/${session.id}`, '%H'), commit)
  })

  it('and what a person has made a draft stays one, on its branch, with the words that close an issue', async () => {
    const session = createSession()
    assert.equal((await open(session, '--branch', 'mine', '--closes', '12')).exitCode, 0)
    const [issue] = listPulls('mine')
    assert.ok(issue?.pull)
    issue.pull.isDraft = true
    for (const _ of ['once', 'twice']) {
      const again = await open(session)
      assert.equal(again.exitCode, 0, again.stderr)
      assert.equal(JSON.parse(again.stdout).isDraft, true)
      assert.ok(issue.pull.isDraft && issue.body.includes('Closes #12'), issue.body)
    }
    assert.equal(listPulls(`dispatch/${session.id}`).length, 0)
    await audit(session)
  })

  it('also after it was killed at any of its requests', async () => {
    const session = createSession()
    const branch = `dispatch/${session.id}`
    for (let count = 1; ; count++) {
      let seen = 0
      forge.fault = () => (++seen === count ? 'hang' : undefined)
      let isOver = false
      const running = rig.dispatch(['pr', session.id, '--json', '--label', 'x']).finally(() => {
        isOver = true
      })
      await rig.waitUntil('a request that hangs, or the end', () => seen >= count || isOver)
      if (isOver) {
        assert.equal((await running).exitCode, 0, (await running).stderr)
        break
      }
      for (const { pid, command } of rig.listProcesses())
        if (command.includes(` pr ${session.id}`)) process.kill(pid, 'SIGKILL')
      await running
    }
    forge.fault = undefined
    assert.equal(listPulls(branch).length, 1)
    assert.deepEqual(listPulls(branch)[0]?.labels, ['x'])
    assert.equal(new Set(rig.readEvents(session.id).flatMap(each => ('number' in each ? [each.number] : []))).size, 1)
    await audit(session)
  })

  it('not over commits of another person on its branch', async () => {
    const session = createSession()
    const branch = `dispatch/${session.id}`
    await git(folder, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`)
    const tip = await readHead(branch, '%H')
    const ran = await open(session)
    assert.equal(ran.exitCode, 5, ran.stderr)
    assert.match(ran.stderr, /has commits that this session did not push/)
    assert.equal(await readHead(branch, '%H'), tip)
    assert.equal(listPulls(branch).length, 0)
  })

  it('only with a valid PASS; other work is a draft that says so', async () => {
    const session = createSession()
    fs.appendFileSync(path.join(session.paths.outputs, 'hello.sh'), '\n# changed\n')
    const refused = await open(session)
    assert.equal(refused.exitCode, 5, refused.stderr)
    assert.match(refused.stderr, /no valid PASS.*--draft/s)
    const draft = await open(session, '--draft')
    assert.equal(draft.exitCode, 0, draft.stderr)
    assert.match(JSON.parse(draft.stdout).warning, /outputs\/ changed/)
    const [issue] = listPulls(`dispatch/${session.id}`)
    assert.equal(issue?.pull?.isDraft, true)
    assert.match(issue?.body ?? '', /This is no valid PASS/)
    const { problems } = await auditSession(session.paths.folder)
    assert.deepEqual(
      problems.filter(({ part }) => part !== 'worktree'),
      [],
      'only outputs/ is not as it was judged',
    )
  })

  it('and doctor names what the login lacks', async () => {
    const run = async (options: string[], env: Record<string, string> = {}) => {
      const ran = await rig.dispatch(['doctor', '--json', ...options], { cwd: folder, env })
      return JSON.parse(ran.stdout).find(({ name }: { name: string }) => name === 'github')
    }
    const online = ['--online']
    assert.deepEqual(await run(online), {
      ...{ name: 'github', state: 'ok' },
      message: `ada may open pull requests in ${forge.url.replace('http://', '')}/corp/notes`,
    })
    forge.addToken('ghp_gist', { login: 'ada', scopes: ['gist'] })
    const lacking = await run(online, { GITHUB_TOKEN: 'ghp_gist' })
    assert.equal(lacking.state, 'warn')
    assert.match(JSON.stringify(lacking), /lacks repo/)
    const count = forge.requests.length
    assert.match((await run([])).message, /was not tried/)
    assert.equal(forge.requests.length, count, 'nothing goes over the network')
    forge.fault = () => 'break off'
    const away = await run(online)
    forge.fault = undefined
    assert.equal(away.state, 'warn')
    assert.match(away.message, /cannot be reached/)
  })

  it('not without a login, and without a network nothing is pushed', async () => {
    const session = createSession()
    const without = await rig.dispatch(['pr', session.id], { env: { GITHUB_TOKEN: '' } })
    assert.equal(without.exitCode, 7, without.stderr)
    const away = await rig.dispatch(['pr', session.id], { env: { GITHUB_API_URL: 'http://127.0.0.1:9/api/v3' } })
    assert.equal(away.exitCode, 6, away.stderr)
    assert.match(away.stderr, /Nothing is lost/)
    assert.equal(listPulls(`dispatch/${session.id}`).length, 0)
    assert.equal(
      rig.readEvents(session.id).some(({ type }) => type.startsWith('pull-request.')),
      false,
    )
  })
})
