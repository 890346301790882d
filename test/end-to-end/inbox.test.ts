/** Tasks that come as files: a project is registered, and what is moved into its inbox starts. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { listSessions } from '#session'
import { commitFolder, idleScenario, queueSettings, type Rig, withPhone, withRig } from '../fixtures/rig.ts'
import { waitForDaemon } from '../fixtures/wait-for-daemon.ts'

/** Register a repository. Returns its inbox, and what moves a file there. */
async function register(rig: Rig) {
  const repository = path.join(rig.home, 'elsewhere/web-shop')
  fs.mkdirSync(repository)
  fs.writeFileSync(path.join(repository, 'a.txt'), '1')
  await commitFolder(repository)
  const added = await rig.dispatch(['projects', 'add', repository, '--json'])
  assert.equal(added.exitCode, 0, added.stderr)
  assert.partialDeepStrictEqual(JSON.parse(added.stdout), { name: 'web-shop', prefix: 'ws', path: repository })
  const inbox = path.join(repository, '.agent-queue/inbox')
  const move = (name: string, text: string) => {
    const file = path.join(rig.home, 'tmp', name)
    fs.writeFileSync(file, text)
    fs.renameSync(file, path.join(inbox, name))
  }
  return { repository, inbox, move }
}

const listRigSessions = (rig: Rig) => listSessions(path.join(rig.home, 'dispatch/workspace'))
const readProject = async (rig: Rig) => {
  const shown = await rig.dispatch(['projects', 'show', 'ws', '--json'])
  assert.equal(shown.exitCode, 0, shown.stderr)
  return JSON.parse(shown.stdout) as { inbox: { problem: string | null; files: { name: string; reason: string }[] } }
}

describe('an inbox', { concurrency: 2 }, () => {
  it('starts a session for a file that is moved into it', () =>
    withRig(
      idleScenario,
      async rig => {
        const { repository, inbox, move } = await register(rig)
        move('fix.md', '---\ntitle: Fix it\nmodel: haiku\n---\nFix the shop.\n')
        const session = await rig.waitUntil('a session starts', () => listRigSessions(rig)[0])
        assert.equal(fs.readFileSync(session.paths.task, 'utf8'), 'Fix the shop.\n')
        assert.equal(session.manifest.repository?.path, repository)
        assert.equal(session.manifest.models.orchestrator, 'haiku')
        assert.equal(session.manifest.queueItem?.item, 'q-1')
        assert.deepEqual(fs.readdirSync(inbox), [])
        const queue = await rig.dispatch(['queue', 'show', 'q-1'])
        assert.match(queue.stdout, /task +Fix it\n[\s\S]*added by +\S+\/\.agent-queue\/inbox\/fix\.md/)
        const log = await rig.dispatch(['logs', 'daemon'])
        assert.match(log.stdout, /q-1: web-shop, fix\.md/)
        move('typo.md', '---\npriorty: high\n---\nx')
        await rig.waitUntil('it is rejected', () => fs.existsSync(path.join(inbox, 'typo.md.rejected')))
        fs.symlinkSync('/etc/hostname', path.join(inbox, 'link.md'))
        await rig.waitUntil('both are shown', async () => {
          const { inbox: state } = await readProject(rig)
          const reasons = Object.fromEntries(state.files.map(({ name, reason }) => [name, reason]))
          return /link/.test(reasons['link.md'] ?? '') && /priorty/.test(reasons['typo.md.rejected'] ?? '')
        })
        assert.equal(listRigSessions(rig).length, 1)
        const pushed = () => rig.models.requests.filter(({ body = '' }) => body.includes('in the inbox was not taken'))
        await rig.waitUntil('both are pushed', () => pushed().length === 2)
        for (const { body } of pushed())
          assert.doesNotMatch(body ?? '', /link|typo|priorty/, 'only the name of the project')
      },
      { ...queueSettings, ...withPhone },
    ))

  it('a file that comes while no daemon runs, or one dies, starts once', () =>
    withRig(
      idleScenario,
      async rig => {
        const { inbox, move } = await register(rig)
        for (let count = 0; count < 3; count++) {
          const daemon = await waitForDaemon(rig)
          if (count > 0) move(`${count}.md`, `task ${count}`)
          await new Promise(resolve => setTimeout(resolve, 100 * count)) // Another moment each time.
          process.kill(daemon, 'SIGKILL')
          move(`gone-${count}.md`, `task gone ${count}`)
          const next = await rig.dispatch(['projects', 'add', path.dirname(path.dirname(inbox))])
          assert.equal(next.exitCode, 0, next.stderr)
          assert.match(next.stdout, /was registered already/)
        }
        await rig.waitUntil('all have started', () => listRigSessions(rig).length === 5)
        const tasks = listRigSessions(rig).map(({ paths }) => fs.readFileSync(paths.task, 'utf8'))
        assert.equal(new Set(tasks).size, 5, tasks.join(', '))
        assert.deepEqual(fs.readdirSync(inbox), [])
      },
      { ...queueSettings, MAX_SESSIONS_PROJECT: '9' },
    ))

  it('projects are added, listed, found and forgotten', () =>
    withRig(idleScenario, async rig => {
      const { repository } = await register(rig)
      assert.match(fs.readFileSync(path.join(repository, '.git/info/exclude'), 'utf8'), /^\/\.agent-queue\/$/m)
      assert.match((await rig.dispatch(['projects'])).stdout, /^web-shop +ws +\S+ +\S+web-shop$/m)
      const other = path.join(rig.home, 'elsewhere/other')
      fs.mkdirSync(path.join(other, '.agent-queue/inbox'), { recursive: true, mode: 0o700 })
      fs.writeFileSync(path.join(other, 'a.txt'), '1')
      await commitFolder(other)
      const elsewhere = path.dirname(other)
      const found = await rig.dispatch(['projects', 'discover', elsewhere, '--json'])
      assert.deepEqual(JSON.parse(found.stdout).repositories, [
        { path: other, name: null },
        { path: repository, name: 'web-shop' },
      ])
      const asked = await rig.dispatch(['projects', 'discover', elsewhere, '--add'])
      assert.equal(asked.exitCode, 2)
      assert.match(asked.stderr, /dispatch projects discover \S+ --add --yes/)
      const bad = path.join(elsewhere, 'bad')
      fs.mkdirSync(path.join(bad, '.agent-queue/inbox'), { recursive: true })
      fs.writeFileSync(path.join(bad, 'a.txt'), 'x')
      await commitFolder(bad)
      fs.chmodSync(path.join(bad, '.agent-queue'), 0o777)
      const added = await rig.dispatch(['projects', 'discover', elsewhere, '--add', '--yes'])
      assert.equal(added.exitCode, 5, added.stdout + added.stderr)
      assert.match(added.stdout, /bad {2}not registered: .*can be written/)
      assert.match(added.stdout, /other {2}other\n/)
      for (const [args, exitCode, message] of [
        [['add', rig.home], 2, /not a git repository/],
        [['add', repository, '--name', 'other'], 5, /registered already/],
        [['add', repository, '--max-sessions', '0'], 2, /--max-sessions takes a number/],
        [['show', 'nothing'], 4, /no project "nothing"/],
        [['show'], 2, /which project/],
        [['discover'], 2, /which folder/],
        [['jump'], 2, /no action "jump"/],
      ] as const) {
        const ran = await rig.dispatch(['projects', ...args])
        assert.equal(ran.exitCode, exitCode, `${args}: ${ran.stderr}`)
        assert.match(ran.stderr, message)
      }
      fs.renameSync(repository, `${repository}-moved`)
      assert.match((await rig.dispatch(['projects'])).stdout, /^web-shop .*does not exist any more$/m)
      const byAgent = await rig.dispatch(['projects', 'rm', 'ws'], { env: { DISPATCH_SESSION: 'x' } })
      assert.equal(byAgent.exitCode, 5)
      assert.equal((await rig.dispatch(['projects', 'rm', 'ws'])).exitCode, 0)
      assert.doesNotMatch((await rig.dispatch(['projects'])).stdout, /web-shop/)
    }))
})
