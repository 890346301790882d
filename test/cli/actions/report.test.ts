import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { reportJob } from '#cli/actions/report.ts'
import { readDefaultConfig } from '#host/config'
import { runProgram } from '#host/exec.ts'
import type { EventBody } from '#session/log'
import { openForge } from '../../fixtures/forge.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'
import { createTestSession } from '../../fixtures/web-sessions.ts'

const BOT = 'github-actions[bot]'

/** A job that reports, and a home in which it has restored a session of these events. */
async function openJob(t: TestContext, events?: EventBody[]) {
  const { server, repository } = await openForge(t, { roles: { ada: 'admin', [BOT]: 'write' } })
  const token = `ghs_report${'0'.repeat(26)}`
  const permissions = { contents: 'write', pull_requests: 'write', issues: 'write', checks: 'write' } as const
  server.addToken(token, { login: BOT, permissions })
  const folder = createScratchFolder(t)
  const home = { DISPATCH_HOME: path.join(folder, 'home'), GITHUB_API_URL: server.apiUrl, GITHUB_TOKEN: token }
  const config = { ...readDefaultConfig(home), ...home }
  fs.mkdirSync(config.workspace, { recursive: true })
  if (events !== undefined) await createTestSession(config.workspace, '2026-11-20-say-hello-ab12', { events })
  const commit = (await runProgram('git', ['rev-parse', 'main'], { cwd: repository.folder })).stdout.trim()
  const [host, summaryFile] = [new URL(server.url).host, path.join(folder, 'summary')]
  const job = {
    address: { host, owner: 'ada', name: 'notes', isPlainHttp: true },
    ...{ commit, url: 'https://elsewhere/77', checkout: folder, summaryFile, start: { task: 'Say hello' } },
  }
  const problemFile = path.join(folder, 'problem.txt')
  fs.writeFileSync(problemFile, 'dispatch: there is no judge\u001b[2J')
  const options = { opensPullRequest: true, problemFile, say: () => undefined }
  return {
    repository,
    folder,
    report: () => reportJob(config, job, options),
    readSummary: () => fs.readFileSync(summaryFile, 'utf8'),
  }
}

test('a question waits for a person; what an audit only notes is no damage', async t => {
  const { repository, report, readSummary } = await openJob(t, [{ type: 'question.asked', question: 'Which hello?' }])
  const { exitCode, conclusion, title } = await report()
  assert.deepEqual([exitCode, conclusion, title], [12, 'action_required', 'A question has to be answered'])
  assert.equal(repository.checkRuns[0]?.conclusion, 'action_required')
  assert.match(readSummary(), /Which hello\?/)
})

test('a start that failed is reported with its reason, with and without a session', async t => {
  const none = await openJob(t)
  const unstarted = await none.report()
  const facts = ({ id, exitCode, conclusion, title }: typeof unstarted) => [id, exitCode, conclusion, title]
  assert.deepEqual(facts(unstarted), [null, 12, 'action_required', 'The session did not start'])
  assert.equal(none.repository.checkRuns[0]?.summary, none.readSummary().trimEnd())
  assert.match(none.readSummary(), /^dispatch: there is no judge\\u\{1b\}/m)
  const failed = await openJob(t, [{ type: 'start.failed', reason: 'the login has expired', exitCode: 7 }])
  const reported = await failed.report()
  assert.deepEqual(facts(reported).slice(1), [7, 'action_required', 'The session did not start'])
  assert.match(failed.readSummary(), /the login has expired/)
})
