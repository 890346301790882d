import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, say, spawn } from '#rehearsal/scenario.ts'
import { readEvidence, readVerdictRecord } from '#session/evidence'
import { helloScenario, type Rig, waitForGoOn, withPhone, withRig } from '../fixtures/rig.ts'
import { runAtTerminalToEnd } from '../fixtures/run-at-terminal.ts'

const sealed = helloContract.trimStart() // A scenario writes it without the leading line break.
const stronger = `${sealed}
## C3 — It is a script of one line
- check: \`grep -c hello hello.sh\`
- expect: exit 0
`
const weaker = stronger.replace('- expect: output equals `hello`\n', '')

/** The newest request of the orchestrator's model: it holds the answers of `contract amend`. */
const readAnswers = (rig: Rig) =>
  rig.models.requests
    .filter(({ role }) => role === 'orchestrator')
    .map(({ body }) => body)
    .at(-1) ?? ''

/** Wait until the turn that asked for approval ends. A message that joins it would be answered by its "I wait.". */
async function waitForTurnEnd(rig: Rig): Promise<void> {
  const findLast = (type: string) => rig.readEvents().findLastIndex(event => event.type === type)
  await rig.waitUntil('the turn ends', () => findLast('turn.ended') > findLast('approval.requested'))
}

describe('amending a sealed contract', { concurrency: 2 }, () => {
  it('a stronger contract applies at once, a weaker one needs approval', () =>
    withRig(
      {
        ...helloScenario,
        workers: { '*': [waitForGoOn, ...honestWorkerTurns] },
        orchestrator: [
          put('contract.md', helloContract),
          spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
          bash('until [ -e "$DISPATCH_OUTPUTS/waiting" ]; do sleep 0.1; done; contract amend "too early"'),
          bash('touch "$DISPATCH_OUTPUTS/go-on"'),
          bash('wait-workers'),
          put('contract.md', stronger),
          bash('contract amend "the task says one script"'),
          put('contract.md', weaker),
          bash('contract amend "the output may differ"'),
          say('I wait.'),
          heard =>
            heard.lastText.includes('approved the amendment') ? bash('contract amend "as approved"') : say('?'),
          bash('submit'),
          heard => say(heard.lastText.slice(0, 200)),
        ],
      },
      async rig => {
        const asked = await rig.dispatch([helloTask, '--wait'])
        assert.equal(asked.exitCode, 12, asked.stdout + asked.stderr)
        const { id, paths } = rig.readSession()
        const select = (type: string) => rig.readEvents().filter(event => event.type === type)
        assert.match(readAnswers(rig), /Still working: hello/)
        assert.deepEqual(
          select('contract.amended').map(event => event.type === 'contract.amended' && event.version),
          [2],
        )
        assert.equal(select('approval.requested').length, 1)
        assert.equal(
          fs.readFileSync(paths.contract, 'utf8'),
          stronger,
          'without approval the sealed contract stays in force',
        )
        await rig.waitUntil('the push', () =>
          rig
            .readEvents()
            .some(event => event.type === 'notification.queued' && event.eventType === 'approval.requested'),
        )

        await waitForTurnEnd(rig)
        const shown = await runAtTerminalToEnd(rig, ['approve', id], id.slice(-4))
        assert.match(shown, /Changes from the sealed contract[\s\S]*-- expect: output equals `hello`/)
        assert.match(shown, /Reason for the amendment: the output may differ/)
        assert.match(shown, /It weakens the sealed contract:[\s\S]*C1 no longer expects: the exact output/)
        const ended = await rig.dispatch(['wait'])
        assert.equal(ended.exitCode, 0, ended.stdout + JSON.stringify(rig.readEvents().slice(-6)))

        assert.deepEqual(
          [1, 2, 3].map(version => fs.readFileSync(paths.contractVersion(version), 'utf8')),
          [sealed, stronger, weaker],
        )
        assert.equal(fs.readFileSync(paths.contract, 'utf8'), weaker)
        const verdict = readVerdictRecord(paths)
        assert.deepEqual(
          [verdict?.contractVersion, verdict?.dilutions],
          [3, ['C1 no longer expects: the exact output']],
        )
        assert.match(fs.readFileSync(paths.verdictText, 'utf8'), /C1 no longer expects: the exact output/)
        const originals = Object.fromEntries(readEvidence(paths).map(record => [record.id, record.originalId]))
        assert.equal(originals['base-v2-C1'], 'base-C1', 'an unchanged check does not run again')
        assert.equal(originals['base-v2-C3'], undefined)
      },
      { ...withPhone, ROUNDS: '1' },
    ))

  it('a declined amendment leaves the contract and cannot be asked again', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          put('contract.md', helloContract),
          spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
          bash('wait-workers'),
          put('contract.md', helloContract.replace('## C2 — No other file is made\n- scope: `hello.sh`\n', '')),
          bash('contract amend "I want to make more"'),
          say('I wait.'),
          bash('contract amend "please"'),
          bash('submit'),
          heard => say(heard.lastText.slice(0, 200)),
        ],
      },
      async rig => {
        assert.equal((await rig.dispatch([helloTask, '--wait'])).exitCode, 12)
        const { id, paths } = rig.readSession()
        await waitForTurnEnd(rig)
        assert.match(
          await runAtTerminalToEnd(rig, ['approve', id, '--no', 'the scope stays']),
          /Sent back[\s\S]*EXIT 0/,
        )
        assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
        assert.match(readAnswers(rig), /the scope stays/, 'the orchestrator was told why')
        const types = rig.readEvents().map(({ type }) => type)
        assert.equal(types.filter(type => type === 'approval.requested').length, 1, 'it was asked once')
        assert.equal(fs.readFileSync(paths.contract, 'utf8'), sealed)
        assert.equal(rig.readStatus().contract?.version, 1)
      },
      { ...withPhone, ROUNDS: '1' },
    ))
})

describe('evidence', { concurrency: 2 }, () => {
  it('a check that is green, then red, on one tree is flaky and not met', () => {
    const countFile = path.join(os.tmpdir(), `dispatch-flaky-${process.pid}`)
    const flakyScript = `n=$(cat ${countFile} 2>/dev/null || echo 0); echo $((n + 1)) > ${countFile}; [ $((n % 2)) = 0 ] && echo hello || echo no`
    return withRig(
      {
        ...helloScenario,
        workers: { '*': [put('hello.sh', flakyScript), say('It prints hello.')] },
        orchestrator: [put('contract.md', helloContract), ...remainingTurns],
      },
      async rig => {
        try {
          const ran = await rig.dispatch([helloTask, '--wait'])
          assert.equal(ran.exitCode, 12, ran.stdout)
          assert.match(ran.stdout, /C1 +flaky now \(green, then red, on the same tree[\s\S]*C1 +INCONCLUSIVE/)
          const record = readEvidence(rig.readSession().paths).find(({ id }) => id === 'round-1-C1')
          assert.deepEqual([record?.outcome, record?.runs.map(({ outcome }) => outcome)], ['flaky', ['green', 'red']])
          assert.match(fs.readFileSync(rig.readSession().paths.verdictText, 'utf8'), /flaky|green, then red/)
        } finally {
          fs.rmSync(countFile, { force: true })
        }
      },
      { ROUNDS: '1', SANDBOX: 'off' }, // In the sandbox a check could not count its runs.
    )
  })

  it('a record names its tree, every run, the timeout and the machine', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [put('contract.md', helloContract), ...remainingTurns],
        workers: { '*': honestWorkerTurns },
      },
      async rig => {
        assert.equal((await rig.dispatch([helloTask, '--wait'])).exitCode, 0)
        const record = readEvidence(rig.readSession().paths).find(({ id }) => id === 'round-1-C1')
        assert.ok(record)
        assert.deepEqual(
          record.runs.map(({ exitCode, outcome, outputSha256 }) => [
            exitCode,
            outcome,
            outputSha256 === record.outputSha256,
          ]),
          [
            [0, 'green', true],
            [0, 'green', true],
          ],
        )
        assert.equal(record.timeoutSeconds, 120)
        assert.match(record.machine, new RegExp(`^${process.platform} `))
        assert.equal(record.tree, rig.readStatus().verdict?.tree)
      },
    ))
})
