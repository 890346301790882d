import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { findTranscript } from '#host/claude'
import { helloContract, helloTask, honestWorkerTurns } from '#rehearsal/hello.ts'
import { bash, put, type ScriptedTurn, say, spawn, type TurnContext } from '#rehearsal/scenario.ts'
import { findClaudeFolder } from '#session'
import {
  cutOffScenario,
  lateTurns,
  locateWorkerFile,
  startWaiting,
  waitInOwnFolder,
} from '../fixtures/cut-off-session.ts'
import { findProcesses, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { waitForDaemon } from '../fixtures/wait-for-daemon.ts'

function findDaemons(rig: Rig): number[] {
  return rig.listProcesses().flatMap(({ pid, command }) => (/ daemon$/.test(command) ? [pid] : []))
}

/** Some of the settings that a process has in its environment. */
function listSettings(pid: number): string[] {
  const variables = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  const names = variables.map(each => each.slice(0, each.indexOf('=')))
  return ['SANDBOX', 'BUDGET_USD', 'KEEP_OPEN_SEC'].filter(name => names.includes(name))
}

function killTmux(rig: Rig): void {
  for (const { pid, command } of findProcesses(rig.home)) if (command.startsWith('tmux')) kill(pid)
}

/** As after a reboot: nothing of the session is left but files. */
function killEverything(rig: Rig): void {
  killTmux(rig)
  for (const { pid } of rig.listProcesses()) kill(pid)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {} // It has ended with another one.
}

async function assertTakenUp(rig: Rig): Promise<void> {
  const waited = await rig.dispatch(['wait'])
  assert.equal(waited.exitCode, 0, waited.stdout + JSON.stringify(rig.readEvents().slice(-12)))
  const events = rig.readEvents()
  const worker = rig.readStatus().workers[0]
  assert.deepEqual([worker?.interruptions, worker?.ending], [1, 'reported'])
  assert.ok((worker?.estimatedUsd ?? 0) > 0, 'what the first attempt had cost is estimated')
  assert.ok((worker?.costUsd ?? 0) > (worker?.estimatedUsd ?? 0), 'what the second cost is known')
  const { outputs } = rig.readSession().paths
  assert.ok(fs.existsSync(path.join(outputs, '.git/refs/attempts/hello/1')), 'the work of the first attempt is kept')
  assert.ok(!fs.existsSync(path.join(outputs, 'half')), 'and is not in the work')
  assert.equal(events.filter(({ type }) => type === 'verdict.given').length, 1)
  const setAside = events.flatMap(event => (event.type === 'changes.quarantined' ? [event] : []))
  assert.deepEqual(
    setAside.map(({ attempt, files }) => [attempt, files]),
    [[1, ['half']]],
    'what the first attempt had left is not called a change of no worker',
  )
}

describe('a session whose processes are all gone', () => {
  it('goes on with its conversation, its worker and one verdict', () =>
    withRig(cutOffScenario, async rig => {
      await startWaiting(rig)
      killEverything(rig)
      assert.match((await rig.dispatch(['ls'])).stdout, /^interrupted/)
      await rig.waitUntil('it is taken up', async () => (await rig.dispatch(['watchdog'])).stdout !== '')
      await assertTakenUp(rig)
      const resumed = rig.readEvents().find(event => event.type === 'orchestrator.resumed')
      assert.ok(resumed?.type === 'orchestrator.resumed' && !resumed.isNewConversation)
    }))

  it('is closed where it had its verdict, after the time for which it would have stayed open', () =>
    withRig(helloScenario, async rig => {
      const ran = await rig.dispatch([helloTask, '--no-repo', '--wait'])
      assert.equal(ran.exitCode, 0, ran.stderr)
      killEverything(rig)
      const daemon = rig.dispatch(['daemon'], { env: { KEEP_OPEN_SEC: '0' } })
      await rig.waitUntil('it is closed', () => rig.readStatus().closed !== undefined)
      assert.equal(rig.readStatus().closed?.actor, 'dispatch')
      assert.match((await rig.dispatch(['ls'])).stdout, /^PASS/m)
      for (const pid of findDaemons(rig)) process.kill(pid, 'SIGTERM')
      await daemon
    }))

  it('starts a claude again that was killed, while its worker goes on', () =>
    withRig(
      {
        ...cutOffScenario,
        workers: {
          '*': [waitInOwnFolder, ...honestWorkerTurns],
        },
      },
      async rig => {
        await startWaiting(rig)
        const { paths, id } = rig.readSession()
        const findClaude = () => findProcesses(`DISPATCH_STOP_GATE=${paths.stopGate}`)
        for (const { pid } of findClaude()) kill(pid)
        await rig.waitUntil('claude runs again', () =>
          rig.readEvents().some(({ type }) => type === 'orchestrator.resumed'),
        )
        fs.writeFileSync(locateWorkerFile(rig, 'go-on'), '')
        const waited = await rig.dispatch(['wait', id])
        assert.equal(waited.exitCode, 0, waited.stdout + JSON.stringify(rig.readEvents().slice(-8)))
        assert.equal(rig.readStatus().workers[0]?.interruptions, undefined)
        assert.equal(rig.readEvents().filter(({ type }) => type === 'runner.started').length, 1)
      },
    ))

  it('is taken up by itself after the death of the tmux server', () =>
    withRig(
      cutOffScenario,
      async rig => {
        await startWaiting(rig)
        const daemon = await rig.waitUntil('there is a daemon', () => findDaemons(rig)[0])
        killTmux(rig)
        await assertTakenUp(rig)
        assert.deepEqual(findDaemons(rig), [daemon], 'it outlives the tmux server')
        assert.equal((await rig.dispatch(['stop', '--all'])).exitCode, 0)
        await rig.waitUntil('the daemon has ended', () => findDaemons(rig).length === 0)
      },
      { STAGGER_SEC: '0' },
    ))

  it('keeps its daemon, which has no setting of one session: a runner starts one that was killed', () =>
    withRig(
      cutOffScenario,
      async rig => {
        await startWaiting(rig)
        const first = await waitForDaemon(rig)
        assert.deepEqual(listSettings(first), ['KEEP_OPEN_SEC'])
        process.kill(first, 'SIGKILL')
        const second = await rig.waitUntil('there is another daemon', () => findDaemons(rig).find(pid => pid !== first))
        assert.deepEqual(listSettings(second), ['KEEP_OPEN_SEC'])
      },
      { BUDGET_USD: '500', KEEP_OPEN_SEC: '60' },
    ))

  it('begins a new conversation with the story so far where the transcript is gone', () => {
    let isNew = false
    const orchestrator = cutOffScenario.orchestrator.map((turn, index) => (heard: TurnContext) => {
      isNew ||= heard.lastText.includes('is lost')
      const chosen = isNew && lateTurns[index] !== undefined ? lateTurns[index] : turn
      return typeof chosen === 'function' ? chosen(heard) : chosen
    })
    return withRig({ ...cutOffScenario, orchestrator }, async rig => {
      await startWaiting(rig)
      killEverything(rig)
      const session = rig.readSession()
      const transcript = findTranscript(findClaudeFolder(session), session.manifest.claude.sessionId)
      assert.ok(transcript)
      fs.rmSync(transcript)
      await rig.waitUntil('it is taken up', async () => (await rig.dispatch(['watchdog'])).stdout !== '')
      await assertTakenUp(rig)
      assert.ok(isNew)
    })
  })
})

describe('dispatch resume', () => {
  it('goes on with a session that was stopped, with what a person adds', () => {
    const spawnAgain = spawn('code --name again --clauses C1', 'Write hello.sh.')
    const heardLate: ScriptedTurn[] = Array.from({ length: 8 }, () => ({ lastText }: TurnContext) => {
      if (lastText.includes('port 8080')) return spawnAgain
      if (lastText.includes('=== again')) return bash('submit')
      return lastText.includes('This is final') ? say('Done.') : bash('wait-workers')
    })
    return withRig(
      { ...cutOffScenario, orchestrator: [...cutOffScenario.orchestrator.slice(0, 3), ...heardLate] },
      async rig => {
        await startWaiting(rig)
        const { id } = rig.readSession()
        assert.equal((await rig.dispatch(['stop', id])).exitCode, 0)
        assert.match((await rig.dispatch(['show', id])).stdout, /go on +dispatch resume/)
        const paused = await rig.dispatch(['pause'])
        assert.equal(paused.exitCode, 0, paused.stderr)
        assert.equal((await rig.dispatch(['resume', id])).exitCode, 5)
        await rig.dispatch(['unpause'])

        const resumed = await rig.dispatch(['resume', id, 'use', 'port', '8080'])
        assert.equal(resumed.exitCode, 0, resumed.stderr)
        const waited = await rig.dispatch(['wait', id])
        assert.equal(waited.exitCode, 0, waited.stdout + JSON.stringify(rig.readEvents().slice(-12)))
        assert.ok(rig.readEvents().some(({ type }) => type === 'session.reopened'))
        const audited = await rig.dispatch(['audit', id])
        assert.equal(audited.exitCode, 0, audited.stdout)

        const again = await rig.dispatch(['stop', id])
        assert.equal(again.exitCode, 0, again.stderr)
        const refused = await rig.dispatch(['resume', id])
        assert.equal(refused.exitCode, 5)
        assert.match(refused.stderr, /has ended with PASS[\s\S]*dispatch retry/)
      },
      { RIG_CLAUDE: 'real' },
    )
  })

  it('asks for the answer where a question waits', () =>
    withRig({ ...cutOffScenario, orchestrator: [bash('ask "English or Portuguese?"'), say('I wait.')] }, async rig => {
      await rig.dispatch([helloTask, '--wait'])
      const refused = await rig.dispatch(['resume', rig.readSession().id])
      assert.equal(refused.exitCode, 2)
      assert.match(refused.stderr, /waits for your answer/)
    }))

  it('lets a session that has worked for too long work for as long again', () => {
    let answered = false
    return withRig(
      {
        ...cutOffScenario,
        workers: { '*': honestWorkerTurns },
        orchestrator: [
          bash('sleep 3'),
          put('contract.md', helloContract),
          bash('contract check'),
          spawn('code --name hello --clauses C1', 'Write hello.sh.'),
          ({ lastText }: TurnContext) =>
            lastText.includes('worked for as long') ? say('I stop.') : bash('wait-workers'),
          ({ lastText }: TurnContext) => {
            answered ||= lastText.includes('Continue where you stopped')
            return answered ? spawn('code --name hello --clauses C1', 'Write hello.sh.') : say('I stop.')
          },
          ...lateTurns,
        ],
      },
      async rig => {
        const settings = path.join(rig.home, 'dispatch/.env')
        fs.mkdirSync(path.dirname(settings), { recursive: true })
        fs.writeFileSync(settings, 'SESSION_TIMEOUT_SEC=2\n')
        const ran = await rig.dispatch([helloTask, '--wait'])
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /SESSION_TIMEOUT_SEC=2 allows no more[\s\S]*go on +dispatch resume/)
        const { id } = rig.readSession()
        await rig.waitUntil('the turn ends', () => rig.readEvents().some(({ type }) => type === 'turn.ended'))
        assert.deepEqual(rig.readStatus().workers, [], 'nothing new was started')
        fs.writeFileSync(settings, 'SESSION_TIMEOUT_SEC=3600\n')
        const resumed = await rig.dispatch(['resume', id])
        assert.equal(resumed.exitCode, 0, resumed.stderr)
        const waited = await rig.dispatch(['wait', id])
        assert.equal(waited.exitCode, 0, waited.stdout + JSON.stringify(rig.readEvents().slice(-8)))
      },
    )
  })
})
