/** Sessions that land by a pull request on a scripted GitHub: checks, approvals, the merge queue, and what is on the branch then. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Session } from '#session'
import { auditSession } from '#session/audit'
import { type ForgeRig, openForgeRig, TOKEN } from '../fixtures/forge-rig.ts'

describe('the work of a session lands by its pull request', () => {
  let setup: ForgeRig

  /** A branch of the repository with its own rules, at the commit that the sessions started from; or with a file besides. */
  async function createBranch(name: string, rules: { checks?: string[]; approvals?: number; queue?: boolean } = {}) {
    const { git, folder, repository } = setup
    await git(folder, 'push', '--quiet', 'origin', `HEAD:refs/heads/${name}`)
    const { checks = [], approvals = 0, queue = false } = rules
    repository.rules[name] = { requiredChecks: checks, requiredApprovals: approvals, hasMergeQueue: queue }
    return name
  }
  const land = ({ id }: Session, branch: string, ...options: string[]) =>
    setup.rig.dispatch(['land', id, '--into', branch, '--pull-request', '--json', ...options])
  const read = (stdout: string) => JSON.parse(stdout) as Record<'state' | 'commit' | 'tree' | 'reason', string>
  const findPull = ({ id }: Session) =>
    setup.repository.issues.find(({ pull }) => pull?.headBranch === `dispatch/${id}`)?.pull
  const readTip = (branch: string) => setup.git(setup.repository.folder, 'rev-parse', `refs/heads/${branch}`)

  async function report(session: Session, name: string, conclusion: 'success' | 'failure') {
    const { repository, forge, rig, git } = setup
    const ref = `refs/heads/dispatch/${session.id}`
    await rig.waitUntil('a pull request', () => findPull(session))
    const commit = await git(repository.folder, 'rev-parse', ref)
    const now = new Date().toISOString()
    repository.checkRuns.push({
      ...{ id: forge.state.nextId++, commit, name, status: 'completed', conclusion },
      ...{ title: '', summary: '', startedAt: now, completedAt: now },
    })
  }

  async function audit({ paths }: Session) {
    const { problems, isSound } = await auditSession(paths.folder)
    assert.ok(isSound, JSON.stringify(problems))
  }

  before(async () => {
    setup = await openForgeRig()
  })
  after(() => setup.close())

  it('once the required check is green and it is approved, as exactly the judged commit', async () => {
    const session = setup.createSession()
    const branch = await createBranch('green', { checks: ['ci'], approvals: 1 })
    const running = land(session, branch)
    await report(session, 'ci', 'success')
    const tip = await readTip(branch)
    const pull = await setup.rig.waitUntil('a pull request', () => findPull(session))
    pull.reviews.push({
      ...{ id: setup.forge.state.nextId++, author: 'bob', state: 'APPROVED', body: '', commit: pull.headCommit },
      submittedAt: new Date().toISOString(),
    })
    const ran = await running
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    const { state, commit, tree } = read(ran.stdout)
    assert.equal(state, 'landed')
    assert.equal(tree, setup.rig.readStatus(session.id).verdict?.tree)
    assert.equal(await readTip(branch), commit)
    assert.equal(await setup.git(setup.repository.folder, 'rev-parse', `${commit}^`), tip)
    const merging = setup.forge.requests.find(({ method, path: each }) => method === 'PUT' && each.endsWith('/merge'))
    assert.equal(JSON.parse(merging?.body ?? '{}').sha, pull.headCommit)
    await audit(session)
    const again = await land(session, branch)
    assert.equal(again.exitCode, 0, again.stderr)
    assert.equal(read(again.stdout).commit, commit)
    assert.equal(await readTip(branch), commit)
  })

  it('not while a required check is red', async () => {
    const session = setup.createSession()
    const branch = await createBranch('red', { checks: ['ci'] })
    const tip = await readTip(branch)
    const running = land(session, branch)
    await report(session, 'ci', 'failure')
    const ran = await running
    assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr)
    assert.match(read(ran.stdout).reason, /not green: ci/)
    assert.equal(await readTip(branch), tip)
  })

  it('not as another commit than the judged one', async () => {
    const session = setup.createSession()
    const branch = await createBranch('moved', { checks: ['ci'] })
    const running = land(session, branch)
    await setup.rig.waitUntil('a pull request', () => findPull(session))
    const { git, folder } = setup
    await git(folder, 'fetch', '--quiet', 'origin', `dispatch/${session.id}`)
    const tree = await git(folder, 'rev-parse', 'FETCH_HEAD^{tree}')
    const other = await git(folder, 'commit-tree', tree, '-p', 'FETCH_HEAD', '-m', 'another person')
    await git(folder, 'push', '--quiet', 'origin', `${other}:refs/heads/dispatch/${session.id}`)
    const ran = await running
    assert.equal(ran.exitCode, 5, ran.stdout + ran.stderr)
    assert.match(read(ran.stdout).reason, /another commit/)
  })

  it('through the merge queue where the branch has one', async () => {
    const session = setup.createSession()
    const branch = await createBranch('queued', { queue: true })
    const ran = await land(session, branch, '--without-checks')
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    assert.equal(findPull(session)?.merged?.by, 'github-merge-queue[bot]')
    await audit(session)
  })

  it('also if it was merged before dispatch could record that it is open', async () => {
    const session = setup.createSession()
    const branch = await createBranch('quick')
    const { rig, forge, repository } = setup
    assert.equal((await rig.dispatch(['pr', session.id, '--base', branch])).exitCode, 0)
    const log = fs.readFileSync(session.paths.events, 'utf8').trimEnd().split('\n')
    assert.match(log.pop() ?? '', /"pull-request.opened"/)
    fs.writeFileSync(session.paths.events, `${log.join('\n')}\n`)
    const number = repository.issues.find(({ pull }) => pull?.headBranch === `dispatch/${session.id}`)?.number
    const headers = { authorization: `token ${TOKEN}` }
    const url = `${forge.apiUrl}/repos/corp/notes/pulls/${number}/merge`
    assert.match(await (await fetch(url, { method: 'PUT', headers, body: '{}' })).text(), /"merged":true/)
    const ran = await land(session, branch)
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    assert.equal(read(ran.stdout).state, 'landed')
    await audit(session)
  })

  it('and what the forge has merged is proved again; if it is not green, you are told at once', async () => {
    const session = setup.createSession()
    const { git, folder, rig } = setup
    const branch = await createBranch('broken')
    // The gate is green on the branch and on the work, and red on both together.
    const gates = JSON.stringify({ gates: ['test ! -e hello.sh || test ! -e other'] })
    const clone = path.join(rig.home, 'elsewhere/broken')
    await git(rig.home, 'clone', '--quiet', '--branch', branch, setup.repository.folder, clone)
    fs.writeFileSync(path.join(clone, '.dispatch.json'), gates)
    fs.writeFileSync(path.join(clone, 'other'), 'x\n')
    await git(clone, 'add', '--all')
    await git(clone, 'commit', '--quiet', '-m', 'from elsewhere')
    await git(clone, 'push', '--quiet', 'origin', branch)
    fs.writeFileSync(path.join(folder, '.dispatch.json'), gates)
    assert.equal((await rig.dispatch(['prepare', '--yes'], { cwd: folder })).exitCode, 0)
    fs.rmSync(path.join(folder, '.dispatch.json'))
    const ran = await rig.dispatch(['land', session.id, '--into', branch, '--pull-request', '--without-checks'])
    assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr)
    assert.match(
      ran.stdout,
      /not green there[\s\S]*gate `test [\s\S]* is red[\s\S]*revert {3}pull .* first, then: dispatch "Revert commit/,
    )
    const { landing, landed } = rig.readStatus(session.id)
    assert.equal(landing?.state, 'unproved')
    assert.equal(landed.at(-1)?.commit, await readTip(branch))
    await audit(session)
  })
})
