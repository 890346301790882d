import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type ScriptedTurn, say } from '#rehearsal/scenario.ts'
import { readVerdictRecord } from '#session/evidence'
import { commitFolder, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'

/** A contract whose check is a test that the repository already has. It is red, because hello.sh is missing. */
const writeContract = (pins: string) => `
# Contract: a script that says hello

## C1 — The test of the repository passes
- covers: S1
- check: \`sh test.sh\`
${pins}
`

/** The turns of a worker that changes the test instead of the code. */
const dishonest: ScriptedTurn[] = [bash('echo "exit 0" > test.sh'), say('test.sh passes. C1 holds.')]

async function createRepository(rig: Rig): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere/project')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'test.sh'), 'test "$(sh hello.sh)" = hello\n')
  return commitFolder(folder)
}

/** Run one session on the repository and check its exit code and the clause of its verdict. */
function runSession(
  { pins, worker }: { pins: string; worker: ScriptedTurn[] },
  check: (
    exitCode: number | undefined,
    clause: NonNullable<ReturnType<typeof readClause>>,
    rig: Rig,
  ) => Promise<void> | void,
): Promise<void> {
  return withRig(
    {
      ...helloScenario,
      workers: { '*': worker },
      orchestrator: [put('contract.md', writeContract(pins)), ...remainingTurns],
    },
    async rig => {
      const ran = await rig.dispatch([helloTask, '--wait', '--repo', await createRepository(rig)])
      const clause = readClause(rig)
      assert.ok(clause, ran.stdout + ran.stderr)
      await check(ran.exitCode, clause, rig)
    },
    { ROUNDS: '1' },
  )
}

function readClause(rig: Rig) {
  return readVerdictRecord(rig.readSession().paths)?.clauses[0]
}

const readPacket = (rig: Rig) => fs.readFileSync(path.join(rig.readSession().paths.evidence, 'packet-1.txt'), 'utf8')

describe('pins', { concurrency: 2 }, () => {
  it('a pinned test that does not change: PASS', () =>
    runSession({ pins: '- pins: `test.sh`', worker: honestWorkerTurns }, (exitCode, clause, rig) => {
      assert.equal(exitCode, 0, clause.reason)
      assert.deepEqual([clause.verdict, clause.gate, clause.note], ['PASS', 'green', undefined])
      assert.match(readPacket(rig), /pinned files, which the work must not change: test\.sh/)
    }))

  it('a pinned test that changes: FAIL, even if the check is green', () =>
    runSession({ pins: '- pins: `test.sh`', worker: dishonest }, async (exitCode, clause, rig) => {
      assert.equal(exitCode, 3, clause.reason)
      assert.deepEqual([clause.verdict, clause.gate, clause.baseOutcome], ['FAIL', 'broken', 'red'])
      const reason = '`test.sh` is pinned, and the work changed it; its check is green, which does not count'
      assert.ok(clause.reason.startsWith(reason), clause.reason)
      assert.ok(readPacket(rig).includes(reason))
      assert.match(readPacket(rig), /### evidence pins-C1: C1, from git\n- pins: broken/)
      assert.ok(readVerdictRecord(rig.readSession().paths)?.findings[0]?.includes(reason))
      const audit = await rig.dispatch(['audit'])
      assert.equal(audit.exitCode, 0, audit.stdout)
      assert.match(
        (await rig.dispatch(['matrix'])).stdout,
        /\| red<br>count unknown \| broken<br>count unknown \| \*\*FAIL\*\*/,
      )
    }))

  it('a changed test without a pin: verdict, matrix and packet name it', () =>
    runSession({ pins: '', worker: dishonest }, async (exitCode, clause, rig) => {
      const note = 'by `test.sh`, which the work itself changed'
      assert.deepEqual([exitCode, clause.verdict, clause.gate, clause.note], [0, 'PASS', 'green', note])
      assert.ok(clause.reason.startsWith(`exit 0, as expected; ${note}; the judge says`), clause.reason)
      assert.ok(readPacket(rig).includes(`- remark: ${note}`))
      assert.ok(readVerdictRecord(rig.readSession().paths)?.reason.endsWith(`; C1 ${note}`))
      assert.match(
        (await rig.dispatch(['matrix'])).stdout,
        /\*\*PASS\*\*<br>by .*test\.sh.*, which the work itself changed/,
      )
    }))

  it('a pin that matches no file in the base: the contract is refused', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          put('contract.md', writeContract('- pins: tests/**')),
          bash('contract check 2>&1'),
          bash('ask "What now?"'),
          say('I wait.'),
        ],
      },
      async rig => {
        assert.equal((await rig.dispatch([helloTask, '--wait', '--repo', await createRepository(rig)])).exitCode, 12)
        const refused = rig.readEvents().flatMap(event => (event.type === 'contract.rejected' ? event.problems : []))
        assert.match(refused.join('; '), /C1 pins tests\/\*\*, which matches no file/)
      },
    ))
})
