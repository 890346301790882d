import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { getRecordFile } from '#cli/forge-record.ts'
import { changeProject, registerProject } from '#cli/projects/register.ts'
import { rememberPullRequest } from '#cli/pull-request/record.ts'
import { PullRequestWatch } from '#cli/pull-request/watch.ts'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createInboxConfig } from '../../fixtures/inbox-home.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a look at which nothing is due reads each record once', async t => {
  const config = createInboxConfig(fs.realpathSync(createScratchFolder(t)))
  const { path: checkout } = await createRepository(t, { 'a.txt': '1' })
  const { project } = await registerProject(config, checkout, {})
  changeProject(config, project, { 'pull-requests': 'follow' })
  const place = { host: '127.0.0.1:1', owner: 'ada', name: 'notes', number: 7, isPlainHttp: true, url: 'http://x/7' }
  const facts = { base: 'main', branch: 'b', author: 'me' as const, isDraft: false, session: 'one', commits: ['a'] }
  rememberPullRequest(config.home, { ...place, ...facts, checkout })
  const watch = new PullRequestWatch()
  const said: string[] = []
  const look = () => watch.look(config, line => said.push(line))
  await look()
  assert.match(said.join('\n'), /It goes on later/)
  const opens = t.mock.method(fs, 'openSync')
  await look()
  const file = getRecordFile(config.home, 'pull-requests', place)
  assert.equal(opens.mock.calls.filter(({ arguments: [each] }) => each === file).length, 1)
})
