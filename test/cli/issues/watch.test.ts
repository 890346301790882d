import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listProjectSources, watchIssues } from '#cli/issues/watch.ts'
import { changeProject, registerProject } from '#cli/projects/register.ts'
import { runProgram } from '#host/exec.ts'
import { setLabel } from '#rehearsal/forge/state.ts'
import { openForge } from '../../fixtures/forge.ts'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createInboxConfig } from '../../fixtures/inbox-home.ts'
import { createIssueMachine, openIssue, readClaimTraces } from '../../fixtures/issue-machine.ts'
import { listQueue } from '../../fixtures/list-queue.ts'
import { waitUntil } from '../../fixtures/scratch.ts'

test('the issues of a project that says so are taken and told of, until a signal', async t => {
  const github = await openForge(t)
  const machine = createIssueMachine(t, await github.connect('ada'))
  const token = Object.keys(github.server.state.tokens).at(-1) ?? ''
  const login = { GITHUB_TOKEN: token, GITHUB_API_URL: github.server.apiUrl }
  const config = { ...createInboxConfig(machine.config.home), ...login }
  const { path: folder } = await createRepository(t, { 'a.txt': '1' })
  await runProgram('git', ['remote', 'add', 'origin', `${github.server.url}/ada/notes.git`], { cwd: folder })
  const { project } = await registerProject(config, folder, {})
  assert.deepEqual(listProjectSources(config), [])
  assert.throws(() => changeProject(config, project, { issues: 'all' }), { exitCode: 2, message: /--issues takes/ })
  changeProject(config, project, { issues: 'label:dispatch' })
  const issue = openIssue(github, 'mallory')
  setLabel(github.server.state, issue, 'dispatch', 'bob')

  const end = new AbortController()
  const said: string[] = []
  const watching = watchIssues(
    end.signal,
    () => config,
    listProjectSources,
    line => said.push(line),
  )
  await waitUntil(() => issue.comments[0]?.body.includes('it waits in the queue (q-1)') || undefined, 'it is told')
  end.abort()
  await watching
  assert.equal((await listQueue(config.home)).length, 1)
  assert.equal((await readClaimTraces(github, issue)).marks.length, 1)
  assert.match(said.join('\n'), /#1: claimed, as q-1/)
  assert.deepEqual(listProjectSources({ ...config }).length, 1)
  changeProject(config, project, { issues: 'off' })
  assert.deepEqual(listProjectSources(config), [])
})
