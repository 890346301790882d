import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCheckReports, readJobLog } from '#forge/feedback'
import { selectFailure } from '#forge/job-log.ts'
import { addCheckRun, addWorkflowRun } from '#rehearsal/forge/state.ts'
import { openForge } from '../fixtures/forge.ts'

const at = (lines: string[]) => lines.map(line => `2026-11-30T10:00:00.1234567Z ${line}`).join('\r\n')

const checkout = [
  '##[group]Run actions/checkout@v4',
  'with:',
  '##[endgroup]',
  '##[group]Fetching the repository',
  'from origin',
  '##[endgroup]',
]
const failedStep = [
  '##[group]Run npm test',
  '\u001b[36;1mnpm test\u001b[0m',
  'shell: /usr/bin/bash -e {0}',
  '##[endgroup]',
  '',
  '> notes@1.0.0 test',
  '\u001b[31mnot ok 1\u001b[0m - says hello',
  '##[error]Process completed with exit code 1.',
]
const cleanup = ['##[group]Run actions/upload-artifact@v4', '##[endgroup]', 'Post job cleanup.']

test('a log tells the command of the step that failed, and its last lines', () => {
  assert.deepEqual(selectFailure(at([...checkout, ...failedStep, ...cleanup])), [
    'Run npm test',
    '> notes@1.0.0 test',
    'not ok 1 - says hello',
    'Process completed with exit code 1.',
  ])
  assert.deepEqual(selectFailure(at(['one', 'two', ''])), ['one', 'two'], 'without a failure in it')
  assert.deepEqual(selectFailure(''), [])
  const many = Array.from({ length: 100 }, (_, index) => `line ${index}`)
  const long = selectFailure(at([...failedStep.slice(0, 4), ...many, 'x'.repeat(5000), '##[error]Over']))
  assert.deepEqual([long.length, long[0], long[1], long.at(-1)], [21, 'Run npm test', 'line 82', 'Over'])
  assert.ok(long.every(line => line.length <= 400))
  assert.deepEqual(selectFailure(at(many)).length, 20)
})

test('the log of a job is read from the server that GitHub names, which gets no token', async t => {
  const { server, repository, connect, commit } = await openForge(t)
  const failure = { commit: await commit('work', 'hello', 'hello\n'), conclusion: 'failure' as const }
  addWorkflowRun(server.state, repository, { ...failure, workflow: 'ci', event: 'push' })
  const suite = repository.workflowRuns[0]?.id ?? 0
  addCheckRun(server.state, repository, { ...failure, name: 'job', suite, log: at(failedStep) })
  addCheckRun(server.state, repository, { ...failure, name: 'job whose log is gone', suite })
  addCheckRun(server.state, repository, { ...failure, name: 'check of another app' })
  const read = async (permissions?: Record<string, 'read'>) => {
    const forge = await connect('ada', { login: 'ada', ...(permissions ? { permissions } : { scopes: ['repo'] }) })
    const reports = await readCheckReports(forge, failure.commit)
    const logs = await Promise.all(reports.map(each => readJobLog(forge, each, log => log.replace('hello', '***'))))
    return logs.filter(log => log.length > 0)
  }
  const [log = [], ...others] = await read()
  assert.deepEqual([log.slice(0, 3), others], [['Run npm test', '> notes@1.0.0 test', 'not ok 1 - says ***'], []])
  const some = { metadata: 'read', statuses: 'read' } as const
  assert.deepEqual(await read({ ...some, checks: 'read' }), [], 'a login that may not see it')
  assert.deepEqual(await read({ ...some, actions: 'read' }), [log], 'one that sees jobs and no checks')
  const answer = (location: string) => {
    server.fault = ({ path }) => (path.endsWith('/logs') ? { status: 302, headers: { location } } : undefined)
  }
  answer('http://127.0.0.1:1/log')
  assert.match((await read())[0]?.join() ?? '', /^the log could not be read: [^,]*ECONNREFUSED[^,]*$/)
  answer('http://logs.example.com/log')
  assert.deepEqual(await read(), [], 'nothing is read in the clear')
})
