import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import { test } from 'node:test'
import { completeBaseEvidence } from '#runner/contract/base-checks.ts'
import { buildSealFields } from '#runner/contract/seal.ts'
import { runRoundGates } from '#runner/rounds/gates.ts'
import { parseContract } from '#session/contract'
import { prepareRepository } from '#session/repository'
import { createTestContext } from '../../fixtures/runner-context.ts'

const text = `# Contract: hello

## C1 — There is a readme
- check: \`test -f README.md\`

## C2 — The readme is friendly
- judged
`

test('what drafts and declined amendments showed on the base is no evidence of a clause', async t => {
  const context = createTestContext(t, {}, { CHECK_REPEAT_SEC: 0 })
  const { paths } = context.session
  const base = await prepareRepository(paths, 'dispatch/a', undefined)
  context.record({ type: 'base.prepared', ...base })
  const { contract } = parseContract(text, { allowsJudgedOnly: true })
  const fields = buildSealFields({ contract, text, uncovered: [], excluded: [], evidence: [] })
  context.record({ type: 'contract.sealed', ...fields, sha256: hash('sha256', text) })
  await completeBaseEvidence(context, contract)
  const record = JSON.parse(fs.readFileSync(paths.evidenceRecord('base-C1'), 'utf8'))
  for (const [id, clauseId] of [
    ['base-C2', 'C2'],
    ['base-v2-C1', 'C1'],
    ['base-x', 'C1'],
  ] as const)
    fs.writeFileSync(paths.evidenceRecord(id), JSON.stringify({ ...record, id, clauseId }, null, 2))
  const gates = await runRoundGates(context, contract, 1, base)
  assert.deepEqual(
    gates.map(({ clause, evidence }) => [clause.id, evidence.map(({ id }) => id)]),
    [
      ['C1', ['base-C1', 'round-1-C1']],
      ['C2', []],
    ],
  )
})

test('what an amended check showed on the base is that of its own version, and only as it was recorded', async t => {
  const context = createTestContext(t, {}, { CHECK_REPEAT_SEC: 0 })
  const { paths } = context.session
  const base = await prepareRepository(paths, 'dispatch/a', undefined)
  context.record({ type: 'base.prepared', ...base })
  for (const [index, each] of [text, text.replace('-f', '-s')].entries()) {
    const { contract } = parseContract(each, { allowsJudgedOnly: true })
    const fields = { ...buildSealFields({ contract, text: each, uncovered: [], excluded: [], evidence: [] }) }
    const sealed = { ...fields, sha256: hash('sha256', each) }
    context.record(
      index === 0
        ? { type: 'contract.sealed', ...sealed }
        : { type: 'contract.amended', ...sealed, version: 2, changes: [], dilutions: [] },
    )
    await completeBaseEvidence(context, contract)
  }
  const { contract } = parseContract(text.replace('-f', '-s'), { allowsJudgedOnly: true })
  const list = async (round: number) =>
    (await runRoundGates(context, contract, round, base)).flatMap(({ evidence }) => evidence.map(({ id }) => id))
  assert.deepEqual(await list(1), ['base-v2-C1', 'round-1-C1'])
  fs.appendFileSync(paths.evidenceRecord('base-v2-C1'), '\n')
  assert.deepEqual(await list(2), ['round-2-C1'])
})
