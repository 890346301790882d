import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Settings } from '#host/config/settings.ts'
import { git } from '#host/git'
import { startFakeModels } from '#rehearsal/fake-models.ts'
import type { ScriptedAnswer } from '#rehearsal/scenario.ts'
import { buildSealFields } from '#runner/contract/seal.ts'
import { checkLanding } from '#runner/landing/check-landing.ts'
import { parseContract } from '#session/contract'
import { EvidenceRecord, readLanding } from '#session/evidence'
import { type Commit, prepareRepository } from '#session/repository'
import { helloScenario } from '../../fixtures/rig.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const flagContract = `# Contract: a flag

## C1 — A flag is up
- check: \`cat flag* | grep -q up\`

## C2 — The readme stays
- check: \`test "$(cat readme)" = one\`
- guard
`

/** A sealed session without a judge, unless the settings name one, and commits in its repository. */
async function prepare(t: TestContext, settings: Partial<Settings> = {}, contract = flagContract) {
  const context = createTestContext(t, {}, { CHECK_REPEAT_SEC: 0, JUDGE_TIMEOUT_SEC: 1, ...settings })
  const { paths } = context.session
  context.record({ type: 'base.prepared', ...(await prepareRepository(paths, 'dispatch/a', undefined)) })
  fs.writeFileSync(paths.contract, contract)
  const fields = buildSealFields({
    contract: parseContract(contract, { allowsJudgedOnly: true }).contract,
    text: contract,
    uncovered: [],
    excluded: [],
    evidence: [],
  })
  context.record({ type: 'contract.sealed', ...fields, sha256: hash('sha256', contract) })
  const run = (...args: string[]) => git(['--git-dir', paths.bareRepository, ...args])
  const createCommit = async (files: Record<string, string>): Promise<Commit> => {
    const entries: string[] = []
    for (const [name, content] of Object.entries(files)) {
      const blob = await git(['--git-dir', paths.bareRepository, 'hash-object', '-w', '--stdin'], { input: content })
      entries.push(`100644 blob ${blob}\t${name}\n`)
    }
    const tree = await git(['--git-dir', paths.bareRepository, 'mktree'], { input: entries.join('') })
    return { commit: await run('commit-tree', tree, '-m', 'x'), tree }
  }
  const check = (target: Commit, head: Commit, judged: Commit, gates: string[] = []) =>
    checkLanding(context, { remote: 'r', branch: 'main', method: 'squash', target, head, judged, gates })
  return { context, createCommit, check }
}

test('a check that the branch meets without the work is stale, and the judge is not asked', async t => {
  const { context, createCommit, check } = await prepare(t)
  const judged = await createCommit({ flag: 'up', readme: 'one' })
  const target = await createCommit({ flag2: 'up', readme: 'one', other: 'x' })
  const head = await createCommit({ flag: 'up', flag2: 'up', readme: 'one', other: 'x' })
  const { result, reason, number, sha256 } = await check(target, head, judged)
  assert.equal(result, 'stale')
  assert.match(reason, /the check of C1 is green on the branch without the work/)
  const record = readLanding(context.session.paths, number, sha256)
  assert.deepEqual(record?.target, target)
  assert.deepEqual(
    record?.evidence.map(({ recordId }) => recordId),
    ['landing-1-base-C1'],
  )
  assert.equal(context.status.landing?.state, 'stale')
  const red = await check(target, head, judged, ['test ! -e flag'])
  assert.equal(red.result, 'red', 'a gate that is not green is told first: the forge may have made the commit already')
})

test('without a judge nothing is ready, whatever the checks show', async t => {
  const { createCommit, check, context } = await prepare(t)
  const judged = await createCommit({ flag: 'up', readme: 'one' })
  const changed = await createCommit({ readme: 'two' })
  const red = await check(changed, await createCommit({ flag: 'up', readme: 'two' }), judged)
  assert.equal(red.result, 'undecided', 'the judge has the last word, and does not answer')
  assert.match(red.reason, /INCONCLUSIVE/)
  const other = await createCommit({ readme: 'one', other: 'x' })
  const undecided = await check(other, await createCommit({ flag: 'up', readme: 'one', other: 'x' }), judged)
  assert.equal(undecided.result, 'undecided')
  assert.equal(undecided.number, 2)
  assert.equal(context.status.clauses[0]?.headOutcome, undefined, 'what a landing shows is not what a round has shown')
})

test('what the judge finds unproven is not green: to ask again would bring the same', async t => {
  const answer: ScriptedAnswer = { met: 'unproven', reason: 'the output shows neither' }
  const models = await startFakeModels({ ...helloScenario, judge: [{ C1: answer }] })
  t.after(() => models.close())
  const { createCommit, check, context } = await prepare(t, {
    GEMINI_API_KEY: 'rehearsal',
    GOOGLE_GEMINI_BASE_URL: models.url,
    JUDGE_TIMEOUT_SEC: 60,
  })
  const judged = await createCommit({ flag: 'up', readme: 'one' })
  const target = await createCommit({ readme: 'one', other: 'x' })
  const unproven = await check(target, await createCommit({ flag: 'up', readme: 'one', other: 'x' }), judged)
  assert.equal(unproven.result, 'red')
  assert.match(unproven.reason, /^on the new tree, INCONCLUSIVE: .*C1/)
  const record = readLanding(context.session.paths, unproven.number, unproven.sha256)
  assert.match(record?.verdict?.findings.join() ?? '', /C1/, 'a new attempt is told why')
})

test('the judged tree needs no proof, but the gates of the project; the first that is not green is the last to run', async t => {
  const { context, createCommit, check } = await prepare(t)
  const base = await createCommit({ readme: 'one' })
  const judged = await createCommit({ flag: 'up', readme: 'one' })
  const ready = await check(base, judged, judged, ['test -f readme', 'grep -q up flag'])
  assert.equal(ready.result, 'ready')
  assert.match(ready.reason, /2 gates of the project green, the tree is the judged one/)
  const unrun = await check(base, judged, judged, ['no-such-program-here'])
  assert.equal(unrun.result, 'undecided', 'a gate that could not run says nothing about the work')
  const stale = await check(await createCommit({ readme: 'one', flag2: 'up' }), judged, judged)
  assert.equal(stale.result, 'stale', 'also where the tree is the judged one')
  const red = await check(base, judged, judged, ['test -f readme', '! grep -qs up flag', 'false'])
  assert.equal(red.result, 'red')
  const record = readLanding(context.session.paths, red.number, red.sha256)
  assert.deepEqual(
    record?.gates.map(({ command, outcome }) => [command, outcome]),
    [
      ['test -f readme', 'green'],
      ['! grep -qs up flag', 'red'],
    ],
  )
})

test('a gate that the branch does not meet either is not the fault of the work', async t => {
  const { context, createCommit, check } = await prepare(t)
  const judged = await createCommit({ flag: 'up', readme: 'one' })
  const target = await createCommit({ readme: 'one', broken: 'x' })
  const head = await createCommit({ flag: 'up', readme: 'one', broken: 'x' })
  const blocked = await check(target, head, judged, ['test ! -e broken'])
  assert.equal(blocked.result, 'blocked')
  assert.match(blocked.reason, /gate `test ! -e broken` is red on main without the work too/)
  assert.equal(context.status.landing?.state, 'blocked')
  const record = readLanding(context.session.paths, blocked.number, blocked.sha256)
  assert.deepEqual(
    record?.gates.map(({ outcome, targetOutcome }) => [outcome, targetOutcome]),
    [['red', 'red']],
  )
  assert.deepEqual(
    record?.evidence.map(({ recordId }) => recordId),
    ['landing-1-base-C1', 'landing-1-base-C2', 'landing-1-gate-1', 'landing-1-base-gate-1'],
  )
  const red = await check(target, head, judged, ['test -e broken', 'test ! -e flag'])
  assert.equal(red.result, 'red', 'it is green without the work')
})

test('on landing a check compares its tree to the branch', async t => {
  const command = 'test "$(git diff --name-only main)" = flag && git diff --quiet main HEAD^ && git log main'
  const { context, createCommit, check } = await prepare(t, {}, flagContract.replace('cat flag* | grep -q up', command))
  const { bareRepository } = context.session.paths
  const base = context.status.base?.commit ?? ''
  await git(['--git-dir', bareRepository, 'update-ref', 'refs/base/main', base])
  const judged = await createCommit({ flag: 'up', readme: 'one' })
  const target = await createCommit({ readme: 'one', docs: 'of a colleague' })
  const head = await createCommit({ flag: 'up', readme: 'one', docs: 'of a colleague' })
  const { number, sha256 } = await check(target, head, judged, [command])
  const record = readLanding(context.session.paths, number, sha256)
  assert.equal(record?.gates[0]?.outcome, 'green', record?.gates[0]?.outputTail)
  assert.match(record?.gates[0]?.outputTail ?? '', new RegExp(target.commit))
  assert.equal(record?.verdict?.clauses[0]?.gate, 'green')
})

test('a gate with the command of a check does not spare the check its second run', async t => {
  const runs = path.join(createScratchFolder(t), 'runs')
  const command = `grep -q up flag && echo >> '${runs}' && test $(wc -l < '${runs}') != 3`
  const flaky = flagContract.replace('cat flag* | grep -q up', command)
  const { context, createCommit, check } = await prepare(t, { CHECK_REPEAT_SEC: 60 }, flaky)
  const judged = await createCommit({ flag: 'up', readme: 'one' })
  const target = await createCommit({ readme: 'one', other: 'x' })
  const { number } = await check(target, await createCommit({ flag: 'up', readme: 'one', other: 'x' }), judged, [
    command,
  ])
  const read = (id: string) =>
    EvidenceRecord.parse(JSON.parse(fs.readFileSync(context.session.paths.evidenceRecord(id), 'utf8')))
  assert.deepEqual([read(`landing-${number}-gate-1`).outcome, read(`landing-${number}-C1`).outcome], ['green', 'flaky'])
})
