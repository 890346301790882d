import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type ScriptedTurn, say } from '#rehearsal/scenario.ts'
import { readVerdictRecord } from '#session/evidence'
import { commitFolder, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'

/** A check by a test that the repository has already: red, because hello.sh is missing. */
const contract = (pins: string) => `
# Contract: a script that says hello

## C1 — The test of the repository passes
- covers: S1
- check: \`sh test.sh\`
${pins}
`

/** What a worker does that would rather have another test. */
const dishonest: ScriptedTurn[] = [bash('echo "exit 0" > test.sh'), say('test.sh passes. C1 holds.')]

async function repository(rig: Rig): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere/project')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'test.sh'), 'test "$(sh hello.sh)" = hello\n')
  return commitFolder(folder)
}

/** One session on the repository: how it ended, and what the verdict says. */
function judged(
  { pins, worker }: { pins: string; worker: ScriptedTurn[] },
  look: (exit: number | undefined, clause: NonNullable<ReturnType<typeof clauseOf>>, rig: Rig) => Promise<void> | void,
): Promise<void> {
  return withRig(
    {
      ...helloScenario,
      workers: { '*': worker },
      orchestrator: [put('contract.md', contract(pins)), ...remainingTurns],
    },
    async rig => {
      const ran = await rig.dispatch([helloTask, '--wait', '--repo', await repository(rig)])
      const clause = clauseOf(rig)
      assert.ok(clause, ran.stdout + ran.stderr)
      await look(ran.exitCode, clause, rig)
    },
    { ROUNDS: '1' },
  )
}

function clauseOf(rig: Rig) {
  return readVerdictRecord(rig.readSession().paths)?.clauses[0]
}

const packetOf = (rig: Rig) => fs.readFileSync(path.join(rig.readSession().paths.evidence, 'packet-1.txt'), 'utf8')

describe('a check rests on tests that the work may not change', { concurrency: 2 }, () => {
  it('pinned and left alone: PASS', () =>
    judged({ pins: '- pins: `test.sh`', worker: honestWorkerTurns }, (exit, clause, rig) => {
      assert.equal(exit, 0, clause.reason)
      assert.deepEqual([clause.verdict, clause.gate, clause.note], ['PASS', 'green', undefined])
      assert.match(packetOf(rig), /pinned files, which the work must not change: test\.sh/)
    }))

  it('pinned and changed: FAIL, whatever the check shows, and the words say so wherever it is told', () =>
    judged({ pins: '- pins: `test.sh`', worker: dishonest }, async (exit, clause, rig) => {
      assert.equal(exit, 3, clause.reason)
      assert.deepEqual([clause.verdict, clause.gate, clause.baseOutcome], ['FAIL', 'broken', 'red'])
      const words = '`test.sh` is pinned, and the work changed it; its check is green, which does not count'
      assert.ok(clause.reason.startsWith(words), clause.reason)
      assert.ok(packetOf(rig).includes(words))
      assert.match(packetOf(rig), /### evidence pins-C1: C1, from git\n- pins: broken/)
      assert.ok(readVerdictRecord(rig.readSession().paths)?.findings[0]?.includes(words))
      const audit = await rig.dispatch(['audit'])
      assert.equal(audit.exitCode, 0, audit.stdout)
      assert.match((await rig.dispatch(['matrix'])).stdout, /\| red \| broken \| \*\*FAIL\*\*/)
    }))

  it('not pinned and changed: verdict, matrix and packet name the test', () =>
    judged({ pins: '', worker: dishonest }, async (exit, clause, rig) => {
      const remark = 'by `test.sh`, which the work itself changed'
      assert.deepEqual([exit, clause.verdict, clause.gate, clause.note], [0, 'PASS', 'green', remark])
      assert.ok(clause.reason.startsWith(`exit 0, as expected; ${remark}; the judge says`), clause.reason)
      assert.ok(packetOf(rig).includes(`exit 0, as expected; ${remark}`))
      assert.ok(readVerdictRecord(rig.readSession().paths)?.reason.endsWith(`; C1 ${remark}`))
      assert.match(
        (await rig.dispatch(['matrix'])).stdout,
        /\*\*PASS\*\*<br>by .*test\.sh.*, which the work itself changed/,
      )
    }))

  it('pinned and nowhere before the work: the contract is refused', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          put('contract.md', contract('- pins: tests/**')),
          bash('contract check 2>&1'),
          bash('ask "What now?"'),
          say('I wait.'),
        ],
      },
      async rig => {
        assert.equal((await rig.dispatch([helloTask, '--wait', '--repo', await repository(rig)])).exitCode, 12)
        const refused = rig.readEvents().flatMap(event => (event.type === 'contract.rejected' ? event.problems : []))
        assert.match(refused.join('; '), /C1 pins tests\/\*\*, which matches no file/)
      },
    ))
})
