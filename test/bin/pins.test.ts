import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { honest, task, therest } from '../../rehearsal/hello.ts'
import { bash, put, say, type Turn } from '../../rehearsal/scenario.ts'
import { readVerdict } from '../../session/index.ts'
import { committed, hello, type Rig, withRig } from '../rig.ts'

/** A check by a test that the repository has already: red, because hello.sh is missing. */
const contract = (pins: string) => `
# Contract: a script that says hello

## C1 — The test of the repository passes
- covers: S1
- check: \`sh test.sh\`
${pins}
`

/** What a worker does that would rather have another test. */
const dishonest: Turn[] = [bash('echo "exit 0" > test.sh'), say('test.sh passes. C1 holds.')]

async function repository(rig: Rig): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere/project')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'test.sh'), 'test "$(sh hello.sh)" = hello\n')
  return committed(folder)
}

/** One session on the repository: how it ended, and what the verdict says. */
function judged(
  { pins, worker }: { pins: string; worker: Turn[] },
  look: (exit: number | undefined, clause: NonNullable<ReturnType<typeof clauseOf>>, rig: Rig) => Promise<void> | void,
): Promise<void> {
  return withRig(
    { ...hello, workers: { '*': worker }, orchestrator: [put('contract.md', contract(pins)), ...therest] },
    async rig => {
      const ran = await rig.dispatch([task, '--wait', '--repo', await repository(rig)])
      const clause = clauseOf(rig)
      assert.ok(clause, ran.stdout + ran.stderr)
      await look(ran.code, clause, rig)
    },
    { ROUNDS: '1' },
  )
}

function clauseOf(rig: Rig) {
  return readVerdict(rig.session().paths)?.clauses[0]
}

const packetOf = (rig: Rig) => fs.readFileSync(path.join(rig.session().paths.evidence, 'packet-1.txt'), 'utf8')

describe('a check rests on tests that the work may not change', { concurrency: 2 }, () => {
  it('pinned and left alone: PASS', () =>
    judged({ pins: '- pins: `test.sh`', worker: honest }, (exit, clause, rig) => {
      assert.equal(exit, 0, clause.because)
      assert.deepEqual([clause.verdict, clause.gate, clause.remark], ['PASS', 'green', undefined])
      assert.match(packetOf(rig), /green after it; pinned, the work may not change them: test\.sh/)
    }))

  it('pinned and changed: FAIL, whatever the check shows, and the words say so wherever it is told', () =>
    judged({ pins: '- pins: `test.sh`', worker: dishonest }, async (exit, clause, rig) => {
      assert.equal(exit, 3, clause.because)
      assert.deepEqual([clause.verdict, clause.gate, clause.base], ['FAIL', 'broken', 'red'])
      const words = '`test.sh` is pinned, and the work changed it; its check came out green, which does not count'
      assert.ok(clause.because.startsWith(words), clause.because)
      assert.ok(packetOf(rig).includes(words))
      assert.match(packetOf(rig), /### evidence pins-C1: C1, from git\n- pins: broken/)
      assert.ok(readVerdict(rig.session().paths)?.findings[0]?.includes(words))
      const audit = await rig.dispatch(['audit'])
      assert.equal(audit.code, 0, audit.stdout)
      assert.match((await rig.dispatch(['matrix'])).stdout, /\| red \| broken \| \*\*FAIL\*\*/)
    }))

  it('not pinned and changed: verdict, matrix and packet name the test', () =>
    judged({ pins: '', worker: dishonest }, async (exit, clause, rig) => {
      const remark = 'by `test.sh`, which the work itself changed'
      assert.deepEqual([exit, clause.verdict, clause.gate, clause.remark], [0, 'PASS', 'green', remark])
      assert.ok(clause.because.startsWith(`exit 0, as seen; ${remark}; the judge says`), clause.because)
      assert.ok(packetOf(rig).includes(`exit 0, as seen; ${remark}`))
      assert.ok(readVerdict(rig.session().paths)?.reason.endsWith(`; C1 ${remark}`))
      assert.match(
        (await rig.dispatch(['matrix'])).stdout,
        /\*\*PASS\*\*<br>by .*test\.sh.*, which the work itself changed/,
      )
    }))

  it('pinned and nowhere before the work: the contract is refused', () =>
    withRig(
      {
        ...hello,
        orchestrator: [
          put('contract.md', contract('- pins: tests/**')),
          bash('contract check 2>&1'),
          bash('ask "What now?"'),
          say('I wait.'),
        ],
      },
      async rig => {
        assert.equal((await rig.dispatch([task, '--wait', '--repo', await repository(rig)])).code, 12)
        const refused = rig.events().flatMap(event => (event.is === 'contract.refused' ? event.problems : []))
        assert.match(refused.join('; '), /C1 pins tests\/\*\*, and no file of the tree as it is has that name/)
      },
    ))
})
