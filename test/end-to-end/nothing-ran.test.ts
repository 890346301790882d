import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { bash, combineCommands, put, type ScriptedTurn, say, spawn } from '#rehearsal/scenario.ts'
import { readEvidence, readVerdictRecord } from '#session/evidence'
import { commitFolder, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'

const task = 'add the tests of the database'

/** What the runners print when no test runs, by the script that prints it. Each exits 0. */
const suites: Record<string, { nothing: string; ran: string; shown: string }> = {
  'cargo.sh': {
    nothing:
      'running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s',
    ran: 'running 1 test\n.\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s',
    shown: '0 ran',
  },
  'go.sh': {
    nothing: '?   \texample.com/db\t[no test files]',
    ran: 'ok  \texample.com/db\t0.01s',
    shown: '0 ran',
  },
  'pytest.sh': {
    nothing: 'sss                    [100%]\n3 skipped in 0.02s',
    ran: '..s                    [100%]\n2 passed, 1 skipped in 0.02s',
    shown: '0 ran, 3 skipped',
  },
}

const contract = `
# Contract: tests of the database

## C1 — The database is tested
- covers: S1
- check: \`node --test db.test.mjs\`

## C2 — Reading from it is tested
- check: \`node --test --test-name-pattern=reads old.test.mjs\`
${Object.keys(suites)
  .map((script, index) => `\n## C${index + 3} — ${script} runs a test\n- check: \`sh ${script}\`\n`)
  .join('')}
## C6 — The old tests still pass
- check: \`node --test old.test.mjs\`
- guard
`

const test = (name: string, options: string) => `test('${name}', ${options}, () => undefined)\n`
const imports = "import { test } from 'node:test'\n"
const printing = (key: 'nothing' | 'ran') =>
  Object.entries(suites).map(([script, texts]) => put(script, `cat <<'EOT'\n${texts[key]}\nEOT`))

/** Every test is skipped or missing. */
const skipping: ScriptedTurn[] = [
  combineCommands(
    put('db.test.mjs', `${imports}${test('reads', '{ skip: !process.env.DATABASE_URL }')}`),
    ...printing('nothing'),
  ),
  say('All tests are green. C1 to C5 hold.'),
]
/** The same tests run. One of the old ones is skipped now. */
const running: ScriptedTurn[] = [
  combineCommands(
    put('db.test.mjs', `${imports}${test('reads', '{}')}`),
    put('old.test.mjs', `${imports}${test('adds', '{}')}${test('prints', '{ skip: true }')}${test('reads', '{}')}`),
    ...printing('ran'),
  ),
  say('The tests run now. C1 to C6 hold.'),
]

async function createRepository(rig: Rig): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere/project')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'old.test.mjs'), `${imports}${test('adds', '{}')}${test('prints', '{}')}`)
  return commitFolder(folder)
}

describe('a check in which no test runs', { concurrency: 2 }, () => {
  it('is unproven and goes back as a finding; once its tests run it passes', () =>
    withRig(
      {
        ...helloScenario,
        workers: { skipping, running },
        orchestrator: [
          put('contract.md', contract),
          bash('contract check 2>&1'),
          spawn('code --name skipping --clauses C1,C2,C3,C4,C5', 'Add tests.'),
          bash('wait-workers'),
          bash('submit'),
          spawn('code --name running --clauses C1,C2,C3,C4,C5', 'Make the tests run.'),
          bash('wait-workers'),
          bash('submit'),
          say('done'),
        ],
      },
      async rig => {
        const ran = await rig.dispatch([task, '--wait', '--repo', await createRepository(rig)])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        const { paths } = rig.readSession()

        // Five suites in which nothing ran: not PASS, not FAIL, and not the end.
        const first = JSON.parse(fs.readFileSync(paths.roundVerdict(1), 'utf8'))
        assert.deepEqual(
          first.clauses.map((clause: { gate: string; verdict: string }) => `${clause.gate} ${clause.verdict}`),
          [...Array<string>(5).fill('nothing ran INCONCLUSIVE'), 'green PASS'],
        )
        assert.equal(first.verdict, 'INCONCLUSIVE')
        const [given] = rig.readEvents().filter(event => event.type === 'verdict.given')
        assert.equal(given?.isFinal, false)
        assert.equal(first.findings.length, 5)
        for (const finding of first.findings)
          assert.match(finding, /no test ran[\s\S]*To do: Make this command run at least one test/)

        // What was filtered away before the work satisfies red before green.
        const evidence = new Map(readEvidence(paths).map(record => [record.id, record]))
        assert.equal(evidence.get('base-C2')?.outcome, 'nothing ran')
        assert.equal(evidence.get('base-C1')?.outcome, 'red')
        assert.deepEqual(evidence.get('round-1-C5')?.tests, { ran: 0, failed: 0, skipped: 3 })

        // The second round: counts, a count that no runner printed, and a guard that runs less than before.
        const last = readVerdictRecord(paths)
        assert.equal(last?.verdict, 'PASS', last?.reason)
        assert.deepEqual(
          last?.clauses.map(({ tests }) => tests),
          [
            { ran: 1, failed: 0, skipped: 0 },
            { ran: 1, failed: 0, skipped: 0 },
            { ran: 1, failed: 0, skipped: 0 },
            'unknown',
            { ran: 2, failed: 0, skipped: 1 },
            { ran: 2, failed: 0, skipped: 1 },
          ],
        )
        const remark = 'C6 by `old.test.mjs`, which the work itself changed, and skipped 1 test, 0 before the work'
        assert.ok(last?.reason.endsWith(`; ${remark}`), last?.reason)
        const packet = fs.readFileSync(path.join(paths.evidence, 'packet-2.txt'), 'utf8')
        assert.match(packet, /evidence round-2-C5[\s\S]*?- tests: 2 ran, 1 skipped/)
        assert.match(packet, /evidence round-2-C4[\s\S]*?- tests: count unknown/)
        assert.match(
          (await rig.dispatch(['matrix'])).stdout,
          /\| nothing ran<br>0 ran \| green<br>1 ran \| \*\*PASS\*\*/,
        )
        assert.match((await rig.dispatch(['show'])).stdout, /green now, 2 ran, 1 skipped/)
        assert.match(
          (await rig.dispatch(['logs'])).stdout,
          /nothing ran now \(no test ran: all 3 were skipped; 0 ran, 3 skipped\)/,
        )
        const audit = await rig.dispatch(['audit'])
        assert.equal(audit.exitCode, 0, audit.stdout)
      },
    ))

  it('is accepted with "- allow-skips", which a guard needs too', () =>
    withRig(
      {
        ...helloScenario,
        workers: { '*': skipping },
        orchestrator: [
          put('contract.md', createSkipContract('')),
          bash('contract check 2>&1'),
          put('contract.md', createSkipContract('- allow-skips')),
          bash('contract check 2>&1'),
          spawn('code --clauses C1', 'Add tests.'),
          bash('wait-workers'),
          bash('submit'),
          say('done'),
        ],
      },
      async rig => {
        const folder = await createRepository(rig)
        fs.writeFileSync(path.join(folder, 'skipped.test.mjs'), `${imports}${test('slow', '{ skip: true }')}`)
        const ran = await rig.dispatch([task, '--wait', '--repo', await commitFolder(folder)])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        const rejected = rig.readEvents().flatMap(event => (event.type === 'contract.rejected' ? event.problems : []))
        assert.equal(rejected.length, 1)
        assert.match(rejected[0] ?? '', /the guard C2 guards nothing: no test ran: the only one was skipped/)
        const verdict = readVerdictRecord(rig.readSession().paths)
        assert.deepEqual(
          verdict?.clauses.map(({ gate, note }) => [gate, note]),
          Array(2).fill(['green', 'skipped all of its tests, as the contract allows']),
        )
        assert.match(
          verdict?.clauses[0]?.reason ?? '',
          /^exit 0, all tests may be skipped, as expected; 0 ran, 1 skipped/,
        )
      },
    ))
})

const createSkipContract = (option: string) => `
# Contract: tests of the database

## C1 — The database is tested
- covers: S1
- check: \`node --test db.test.mjs\`
- allow-skips

## C2 — The slow tests still pass
- check: \`node --test skipped.test.mjs\`
- guard
${option}
`
