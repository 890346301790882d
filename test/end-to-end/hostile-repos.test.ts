/** Twenty traps with which a repository could make claude run or believe something. None springs in a session. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { findClaude } from '#host/claude'
import { runProgram } from '#host/exec.ts'
import { type FakeModels, startFakeModels } from '#rehearsal/fake-models.ts'
import { helloContract, helloTask, honestWorkerTurns } from '#rehearsal/hello.ts'
import { buildRehearsalEnvironment } from '#rehearsal/rehearse.ts'
import { bash, put, type Scenario, say, spawn, use } from '#rehearsal/scenario.ts'
import { createHostileRepository, listTriggeredTraps, traps, trapTexts } from '../fixtures/hostile-repos.ts'
import { type Rig, withRig } from '../fixtures/rig.ts'
import { HANG_MS, waitUntil } from '../fixtures/scratch.ts'
import { whyNoSandbox } from '../fixtures/skip-reasons.ts'
import { sampleCases } from '../long/select-cases.ts'

/** The turns of a worker that triggers every trap it can reach. */
const careless = [
  bash('cd nested && cat x.txt && ls -a && cd ..'),
  use('Agent', { description: 'x', prompt: 'go', subagent_type: 'evil', run_in_background: false }),
  use('Skill', { skill: 'evilskill' }),
  use('Skill', { skill: 'evilcommand' }),
  use('Read', { file_path: 'nested/x.txt' }),
]

const scenario: Scenario = {
  title: '',
  task: helloTask,
  orchestrator: [
    put('contract.md', helloContract.replace('`hello.sh`\n', '`hello.sh` `notes.md`\n')),
    // A brief is a prompt, and a prompt can start with a slash command from the repository.
    spawn('code --name careless --clauses C1', '/evilcommand Write hello.sh: it prints hello.'),
    spawn('rw --name writer --clauses C2 --files notes.md', 'Write nothing.'),
    bash('wait-workers'),
    bash('submit'),
    heard => say(heard.lastText.slice(0, 200)),
  ],
  // A writer has no shell, even though the repository permits one (R08).
  workers: {
    careless: [...careless, ...honestWorkerTurns],
    writer: [bash('touch canary-R08'), say('Nothing to write.')],
  },
  endStates: ['PASS'],
}

const silent: Scenario = { title: '', task: '', orchestrator: [], workers: {}, endStates: [] }

/** Run a session on a repository with all traps: it passes, and no trap springs. */
async function runSession(rig: Rig, evil: FakeModels): Promise<void> {
  const folder = path.join(rig.home, 'elsewhere/project')
  const outside = path.join(rig.home, 'outside.txt')
  fs.writeFileSync(outside, trapTexts.R18)
  await createHostileRepository(folder, { evil: evil.url, outside })
  const ran = await rig.dispatch([helloTask, '--wait'], { cwd: folder })
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
  assert.deepEqual(listTriggeredTraps(rig.home), [])
  assert.deepEqual(
    evil.requests.map(request => request.path),
    [],
  )
  const sent = rig.models.requests.map(({ body }) => body).join('\n')
  for (const [id, text] of Object.entries(trapTexts)) assert.ok(!sent.includes(text), `${id}: its text reached a model`)
  for (const name of ['careless', 'writer']) {
    const lines = fs.readFileSync(rig.readSession().paths.worker(name).stream, 'utf8').split('\n')
    const line = lines.find(text => text.includes('"subtype":"init"')) ?? '{}'
    const init = JSON.parse(line)
    assert.equal(init.permissionMode, 'dontAsk')
    assert.deepEqual(init.mcp_servers, [])
    assert.ok(!/evil|market/.test(JSON.stringify([init.agents, init.skills, init.slash_commands, init.plugins])), line)
  }
  assert.match((await rig.dispatch(['show'])).stdout, /ignored +\.claude, \.mcp\.json/)
}

/** The traps that spring when the real claude starts in the trusted folder without dispatch's flags. */
async function runByHand(t: TestContext, home: string): Promise<string[]> {
  const folder = path.join(home, 'project')
  const outside = path.join(home, 'outside.txt')
  fs.writeFileSync(outside, trapTexts.R18)
  // Either model leads claude into the same traps. The permitted shell command (R08) comes first.
  const misleading = { ...silent, workers: { '*': [bash('touch canary-R08'), ...careless] } }
  const [stage, evil] = await Promise.all([startFakeModels(misleading), startFakeModels(misleading)])
  t.after(() => Promise.all([stage.close(), evil.close()]))
  await createHostileRepository(folder, { evil: evil.url, outside })
  const environment = dropEmptyValues({ ...buildRehearsalEnvironment(home, stage.url, silent), TERM: 'xterm-256color' })
  fs.mkdirSync(path.join(home, 'home'))
  const trust = { hasTrustDialogAccepted: true, hasClaudeMdExternalIncludesApproved: true }
  const config = {
    hasCompletedOnboarding: true,
    customApiKeyResponses: { approved: [environment['ANTHROPIC_API_KEY']?.slice(-20)], rejected: [] },
    projects: { [folder]: trust, [path.join(folder, 'nested')]: trust },
  }
  fs.writeFileSync(path.join(home, 'home/.claude.json'), JSON.stringify(config))
  const claude = findClaude()
  const start = (cwd: string, ...args: string[]) =>
    runProgram(claude, args, { cwd, env: environment, timeoutMs: HANG_MS })
  const asWorker = ['--append-system-prompt', 'You are code worker evil of session x.']
  await Promise.all([
    start(folder, '-p', 'Go.', ...asWorker).then(() => start(folder, '-p', '/evilcommand')),
    start(path.join(folder, 'nested'), '-p', 'Go.'),
    runProgram('npm', ['install', '--offline', '--no-audit', '--no-fund'], { cwd: folder, env: environment }),
    runInTerminal(claude, folder, environment, () => listTriggeredTraps(home).includes('R05')),
  ])
  const evilPaths = evil.requests.map(request => request.path)
  const bodies = [...stage.requests, ...evil.requests].map(({ body }) => body).join('\n')
  return [
    ...listTriggeredTraps(home),
    ...(evilPaths.some(name => name.startsWith('/v1/messages')) ? ['R07'] : []),
    ...(evilPaths.includes('/R11') ? ['R11'] : []),
    ...Object.entries(trapTexts).flatMap(([id, text]) => (bodies.includes(text) ? [id] : [])),
  ].sort()
}

/** Run claude in a terminal, the only place with a status line, until a condition holds. */
async function runInTerminal(claude: string, cwd: string, env: Record<string, string>, isDone: () => boolean) {
  const socket = `traps-${randomBytes(4).toString('hex')}`
  const tmux = (...args: string[]) => runProgram('tmux', ['-L', socket, ...args], { env, timeoutMs: HANG_MS })
  await tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '40', '-c', cwd, claude, 'Go.')
  await waitUntil(isDone, 'claude has drawn its status line')
    .catch(async error => {
      throw new Error(`${error.message}:\n${(await tmux('capture-pane', '-p')).stdout}`)
    })
    .finally(() => tmux('kill-server'))
}

function dropEmptyValues(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value ? [[name, value]] : [])))
}

describe('a repository that attacks claude', { concurrency: 3 }, () => {
  for (const sandbox of sampleCases(['off', 'auto'], 1)) {
    const skip = sandbox === 'auto' && whyNoSandbox
    it(`no trap springs in a session, sandbox ${sandbox}`, { skip }, async () => {
      const evil = await startFakeModels(silent)
      try {
        await withRig(scenario, rig => runSession(rig, evil), { SANDBOX: sandbox, RIG_CLAUDE: 'real' })
      } finally {
        await evil.close()
      }
    })
  }

  it('every trap springs when claude starts without dispatch’s flags', async t => {
    const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-traps-')))
    t.after(() => fs.rmSync(home, { recursive: true, force: true }))
    const sprung = await runByHand(t, home)
    t.diagnostic(`${sprung.length} of ${traps.length} spring: ${sprung.join(' ')}`)
    assert.deepEqual(
      sprung,
      traps.map(({ id }) => id),
    )
  })
})
