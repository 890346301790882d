/** The workflow of GitHub Actions, its commands played as a runner does, with a scripted GitHub and scripted models. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readPullRequestRecord, rememberPullRequest, writePullRequestRecord } from '#cli/pull-request/record.ts'
import { runProgram } from '#host/exec.ts'
import { type ScriptedForge, startScriptedForge } from '#rehearsal/forge/scripted-forge.ts'
import { createIssue, type ScriptedIssue, type ScriptedRepository, setLabel } from '#rehearsal/forge/state.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { isSessionId } from '#session'
import { playJob, type RunnerFacts } from '../fixtures/actions-runner.ts'
import { commitFolder, entryPoint, helloScenario, openRig, type Rig } from '../fixtures/rig.ts'

const BOT = 'github-actions[bot]'
const afterTask = ['Run the session', 'End what still runs, and pack the record']
const models = ['ANTHROPIC_API_KEY', 'GEMINI_API_KEY']

describe('a session runs on a runner of GitHub Actions', () => {
  let rig: Rig
  let forge: ScriptedForge
  let repository: ScriptedRepository
  let facts: RunnerFacts
  let issue: ScriptedIssue
  const reader = `ghs_reader${'0'.repeat(26)}`
  const writer = `ghs_writer${'0'.repeat(26)}`
  const humble = `ghs_humble${'0'.repeat(26)}`

  const git = async (cwd: string, ...args: string[]) => {
    const ran = await runProgram('git', args, { cwd })
    assert.equal(ran.exitCode, 0, ran.stderr)
    return ran.stdout.trim()
  }
  const label = (number: number) => ({
    name: 'issues',
    payload: { action: 'labeled', issue: { number }, label: { name: 'dispatch' } },
  })
  const openJob = (name: string, token: string, changes: Partial<RunnerFacts> = {}): RunnerFacts => {
    const temp = path.join(rig.home, name)
    fs.mkdirSync(temp, { recursive: true })
    return { ...facts, temp, github: { ...facts.github, token }, ...changes }
  }
  /** What an agent could write into the artifact: that earlier sessions have pushed what is on main, and the next goes there too. */
  const forgeRecord = (temp: string) => {
    const home = path.join(temp, 'dispatch-home')
    const id = fs.readdirSync(path.join(home, 'workspace')).find(isSessionId) ?? ''
    const place = { host: new URL(forge.url).host, owner: 'ada', name: 'notes', number: 999 }
    rememberPullRequest(home, {
      ...{ ...place, isPlainHttp: true, url: '', session: 'gone', checkout: '/', base: 'main', branch: 'main' },
      ...{ author: 'me', isDraft: false, first: { task: 'x', title: 'x' }, commits: [facts.github.sha] },
    })
    const record = readPullRequestRecord(home, place)
    assert.ok(record)
    writePullRequestRecord(home, record, { sessions: ['gone', id] })
  }
  const summarize = (played: Awaited<ReturnType<typeof playJob>>) =>
    played.map(({ name, result }) => `${name}: ${result.exitCode} ${result.stdout} ${result.stderr}`).join('\n')

  before(async () => {
    rig = await openRig(helloScenario)
    forge = await startScriptedForge(path.join(rig.home, 'elsewhere/forge'))
    repository = await forge.createRepository({
      ...{ owner: 'ada', name: 'notes', isPrivate: false },
      roles: { ada: 'admin', bob: 'write', eve: 'triage', [BOT]: 'write' },
    })
    forge.addToken('ghp_ada', { login: 'ada', scopes: ['repo'] })
    forge.addToken(reader, { login: BOT, permissions: { contents: 'read', issues: 'read', pull_requests: 'read' } })
    const rights = { contents: 'write', pull_requests: 'write', issues: 'write', statuses: 'write' } as const
    forge.addToken(writer, { login: BOT, permissions: { ...rights, checks: 'write' } })
    forge.addToken(humble, { login: BOT, permissions: rights })
    const checkout = path.join(rig.home, 'elsewhere/notes')
    fs.mkdirSync(checkout)
    fs.writeFileSync(path.join(checkout, 'readme'), 'one\n')
    await commitFolder(checkout)
    await git(checkout, 'remote', 'add', 'origin', `${forge.url}/ada/notes.git`)
    const owned = forge.url.replace('http://', 'http://x-access-token:ghp_ada@')
    await git(checkout, 'push', '--quiet', `${owned}/ada/notes.git`, 'main')
    await git(checkout, 'fetch', '--quiet', 'origin')
    await git(checkout, 'branch', '--quiet', '--set-upstream-to', 'origin/main')
    const install = path.join(rig.home, 'elsewhere/claude-dispatch')
    fs.mkdirSync(path.join(install, 'bin'), { recursive: true })
    const program = `#!/bin/sh\nexec /bin/sh '${entryPoint}' "$@"\n`
    fs.writeFileSync(path.join(install, 'bin/dispatch'), program, { mode: 0o755 })
    await commitFolder(install)
    const pinned = await git(install, 'rev-parse', 'HEAD')
    fs.writeFileSync(path.join(install, 'bin/dispatch'), '#!/bin/sh\nexit 99\n')
    await git(install, '-c', 'user.name=u', '-c', 'user.email=u@h', 'commit', '-qam', 'newer')
    const stubs = path.join(rig.home, 'elsewhere/stubs')
    fs.mkdirSync(stubs)
    for (const name of ['npm', 'sudo']) fs.writeFileSync(path.join(stubs, name), '#!/bin/sh\n', { mode: 0o755 })
    const options = ['--source', `file://${install}`, '--commit', pinned, '--sandbox', 'off']
    const installed = await rig.dispatch(['actions', 'install', ...options, '--json'], { cwd: checkout })
    assert.equal(installed.exitCode, 0, installed.stderr)
    assert.equal(JSON.parse(installed.stdout).state, 'written')
    issue = createIssue(forge.state, repository, { author: 'eve', title: 'Say hello', body: helloTask })
    const aWhileAgo = new Date(Date.now() - 3_600_000).toISOString()
    issue.createdAt = aWhileAgo
    setLabel(forge.state, issue, 'dispatch', 'bob')
    const secrets = Object.fromEntries(models.map(name => [name, rig.environment[name] ?? '']))
    const plain = Object.entries(rig.environment).filter(([name]) => !models.includes(name) && name !== 'DISPATCH_HOME')
    facts = {
      ...{
        workflow: fs.readFileSync(path.join(checkout, '.github/workflows/dispatch.yml'), 'utf8'),
        checkout,
        secrets,
      },
      ...{ temp: '', event: label(issue.number) },
      environment: {
        ...Object.fromEntries(plain),
        GITHUB_API_URL: forge.apiUrl,
        PATH: `${stubs}:${rig.environment['PATH']}`,
        STAGGER_SEC: '0',
      },
      github: {
        ...{ server_url: forge.url, token: '', repository: 'ada/notes' },
        sha: await git(checkout, 'rev-parse', 'HEAD'),
      },
    }
  })
  after(async () => {
    await forge.close()
    await rig.close()
  })

  it('a person types a task, and no character of it is a command', async () => {
    const task = `Say "hello"'; touch pwned; $(touch pwned) \`touch pwned\` \${{ github.token }}\n-- \u00e9`
    const job = openJob('typed', reader, { event: { name: 'workflow_dispatch', payload: { inputs: { task } } } })
    const played = await playJob(job, 'agents', afterTask)
    assert.equal(played.at(-1)?.name, 'Read the task', summarize(played))
    assert.equal(played.at(-1)?.result.exitCode, 0, summarize(played))
    assert.equal(fs.readFileSync(path.join(job.temp, 'task.md'), 'utf8'), task)
    assert.ok(![job.checkout, job.temp].some(folder => fs.existsSync(path.join(folder, 'pwned'))))
  })

  it('a label of a person who may not write starts nothing, nor does a text that was changed after it', async () => {
    const open = () => {
      const made = createIssue(forge.state, repository, { author: 'ada', title: 'x', body: helloTask })
      made.createdAt = new Date(Date.now() - 3_600_000).toISOString()
      return made
    }
    const refusals: [prepare: (made: ScriptedIssue) => void, reason: RegExp][] = [
      [made => setLabel(forge.state, made, 'dispatch', 'eve'), /@eve, who set the label, may not write/],
      [() => undefined, /the label is no longer set/],
      [
        made => {
          setLabel(forge.state, made, 'dispatch', 'bob')
          made.editedAt = new Date(Date.now() + 5000).toISOString()
        },
        /its text was edited after @bob set the label/,
      ],
    ]
    for (const [prepare, reason] of refusals) {
      const made = open()
      prepare(made)
      const job = openJob(`refused-${made.number}`, reader, { event: label(made.number) })
      const read = (await playJob(job, 'agents')).at(-1)
      assert.equal(read?.name, 'Read the task')
      assert.equal(read.result.exitCode, 5, read.result.stderr)
      assert.match(read.result.stderr, reason)
    }
  })

  it('what keeps a session from starting is said beside the commit and on the issue', async () => {
    const odd = path.join(facts.checkout, '.dispatch.json')
    fs.writeFileSync(odd, '{')
    const work = openJob('unstarted', reader)
    const worked = await playJob(work, 'agents')
    fs.rmSync(odd)
    assert.equal(worked.at(-1)?.name, 'Run the session', summarize(worked))
    assert.match(worked.at(-1)?.result.stderr ?? '', /\.dispatch\.json/)
    const pack = await playJob(work, 'agents', [
      'Install programs',
      'Install dispatch',
      'Read the task',
      'Run the session',
    ])
    assert.equal(pack.at(-1)?.result.exitCode, 0, summarize(pack))
    const publish = openJob('report-unstarted', writer)
    fs.mkdirSync(path.join(publish.temp, 'artifact'))
    fs.copyFileSync(path.join(work.temp, 'record.tar'), path.join(publish.temp, 'artifact/record.tar'))
    const reported = await playJob(publish, 'report')
    assert.equal(reported.at(-1)?.result.exitCode, 12, summarize(reported))
    const run = repository.checkRuns.pop()
    assert.deepEqual([run?.conclusion, run?.title], ['action_required', 'The session did not start'])
    assert.match(run?.summary ?? '', /\.dispatch\.json/)
    assert.match(issue.comments.pop()?.body ?? '', /The session did not start[\s\S]*\.dispatch\.json/)
  })

  it('the agents get the issue and no token of GitHub; a PASS becomes a pull request and a check run', async () => {
    const [work, asked] = [openJob('agents', reader), forge.requests.length]
    const worked = await playJob(work, 'agents')
    assert.equal(worked.at(-1)?.result.exitCode, 0, summarize(worked))
    assert.match(fs.readFileSync(path.join(work.temp, 'GITHUB_OUTPUT'), 'utf8'), /^record=yes$/m)
    assert.equal(JSON.parse(fs.readFileSync(path.join(work.temp, 'result.json'), 'utf8')).state, 'PASS')
    const isWrite = ({ method, path }: { method: string; path: string }) => method !== 'GET' && path !== '/graphql'
    assert.deepEqual(forge.requests.slice(asked).filter(isWrite), [])
    assert.ok(rig.models.requests.length > 2)
    assert.ok(rig.models.requests.every(({ body }) => !body.includes(reader)))
    const publish = openJob('report', writer)
    fs.mkdirSync(path.join(publish.temp, 'artifact'))
    fs.copyFileSync(path.join(work.temp, 'record.tar'), path.join(publish.temp, 'artifact/record.tar'))
    repository.mayWorkflowsOpenPulls = false
    const refused = await playJob(publish, 'report')
    assert.equal(refused.at(-1)?.name, 'Report the verdict', summarize(refused))
    assert.equal(refused.at(-1)?.result.exitCode, 7, summarize(refused))
    const first = repository.checkRuns.pop()
    assert.deepEqual([first?.conclusion, first?.commit], ['success', facts.github.sha])
    assert.match(first?.summary ?? '', /There is no pull request:[\s\S]*is not permitted to create/)
    repository.mayWorkflowsOpenPulls = true
    forgeRecord(publish.temp)
    const reported = await playJob(publish, 'report', ['Install dispatch', 'Restore the record'])
    assert.equal(reported.at(-1)?.result.exitCode, 0, summarize(reported))
    const pull = repository.issues.find(each => each.pull !== undefined)
    assert.match(pull?.body ?? '', new RegExp(`Closes #${issue.number}`))
    assert.match(pull?.pull?.headBranch ?? '', /^dispatch\//)
    assert.equal(await git(repository.folder, 'rev-parse', 'main'), facts.github.sha, 'main is not pushed over')
    const [run, ...others] = repository.checkRuns
    assert.deepEqual(others, [])
    assert.deepEqual([run?.name, run?.conclusion, run?.commit], ['dispatch', 'success', pull?.pull?.headCommit])
    assert.match(run?.title ?? '', /^PASS: 2 of 2 clauses are met$/)
    assert.match(run?.detailsUrl ?? '', /\/ada\/notes\/actions\/runs\/77$/)
    const summary = fs.readFileSync(path.join(publish.temp, 'GITHUB_STEP_SUMMARY'), 'utf8')
    assert.match(summary, /Pull request: #\d+[\s\S]*\| clause \|/)
    assert.equal(issue.comments.length, 1)
    assert.match(issue.comments[0]?.body ?? '', /^<!-- dispatch:job -->\n[\s\S]*PASS/)
  })

  it('where check runs are refused it is a status, and the comment stays one; a note of the audit is no damage', async () => {
    const publish = openJob('report', humble)
    const [id = ''] = fs.readdirSync(path.join(publish.temp, 'dispatch-home/workspace')).filter(isSessionId)
    const evidence = path.join(publish.temp, 'dispatch-home/workspace', id, 'evidence')
    fs.writeFileSync(path.join(evidence, 'base-C9.json'), '{}\n')
    const reported = await playJob(publish, 'report', ['Install dispatch', 'Restore the record'])
    assert.equal(reported.at(-1)?.result.exitCode, 0, summarize(reported))
    assert.match(reported.at(-1)?.result.stdout ?? '', /reported as a commit status[\s\S]*no check run: the login/)
    const [status] = repository.statuses
    assert.deepEqual([status?.context, status?.state], ['dispatch', 'success'])
    assert.equal(repository.checkRuns.length, 1)
    assert.equal(repository.issues.filter(each => each.pull !== undefined).length, 1)
    assert.equal(issue.comments.length, 1)
  })

  it('a label that is set again makes no second session while that pull request is open', async () => {
    const pull = repository.issues.find(each => each.pull !== undefined)
    const again = async (name: string) => (await playJob(openJob(name, reader), 'agents', afterTask)).at(-1)
    const refused = await again('again')
    assert.deepEqual([refused?.name, refused?.result.exitCode], ['Read the task', 5], refused?.result.stderr)
    assert.match(refused?.result.stderr ?? '', new RegExp(`pull request #${pull?.number} closes it`))
    const { headOwner = '' } = pull?.pull ?? {}
    Object.assign(pull?.pull ?? {}, { headOwner: 'eve' })
    forge.state.repositories.push({ ...repository, owner: 'eve' })
    assert.equal((await again('forked'))?.result.exitCode, 0, 'that of a fork does not count')
    forge.state.repositories.pop()
    Object.assign(pull?.pull ?? {}, { headOwner })
  })

  it('a record that was changed on its way proves nothing', async () => {
    const publish = openJob('report', writer)
    const workspace = path.join(publish.temp, 'dispatch-home/workspace')
    const [id = ''] = fs.readdirSync(workspace).filter(isSessionId)
    fs.appendFileSync(path.join(workspace, id, 'contract.md'), '\nanything\n')
    const reported = await playJob(publish, 'report', ['Install dispatch', 'Restore the record'])
    assert.equal(reported.at(-1)?.result.exitCode, 13, summarize(reported))
    const run = repository.checkRuns.at(-1)
    assert.deepEqual([run?.conclusion, run?.title], ['failure', 'The record is damaged, so it proves nothing'])
  })

  it('doctor says what the repository lacks, and how to add it', async () => {
    const env = { GITHUB_TOKEN: 'ghp_ada', GITHUB_API_URL: forge.apiUrl }
    repository.secretNames = ['GEMINI_API_KEY']
    repository.mayWorkflowsOpenPulls = false
    const look = async () => {
      const ran = await rig.dispatch(['doctor', '--online', '--json'], { cwd: facts.checkout, env })
      return JSON.parse(ran.stdout).find(({ name }: { name: string }) => name === 'actions')
    }
    const lacking = await look()
    assert.equal(lacking.state, 'warn')
    assert.match(lacking.message, /lacks the secret ANTHROPIC_API_KEY, and the right of workflows/)
    assert.match(JSON.stringify(lacking), /gh secret set ANTHROPIC_API_KEY --repo ada\/notes/)
    repository.mayWorkflowsOpenPulls = true
    repository.organizationSecrets = 'hidden'
    assert.match((await look()).message, /^not known whether ada\/notes has the secret ANTHROPIC_API_KEY:/)
    repository.organizationSecrets = ['ANTHROPIC_API_KEY']
    assert.equal((await look()).state, 'ok')
  })
})
