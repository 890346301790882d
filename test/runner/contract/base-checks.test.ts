import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { isCheckClause } from '#runner/checks/run-check.ts'
import { completeBaseEvidence, findDockerCheck, findVacuousCheck } from '#runner/contract/base-checks.ts'
import { validateDraft } from '#runner/contract/draft.ts'
import { buildSealFields, readSealedContract } from '#runner/contract/seal.ts'
import { parseContract } from '#session/contract'
import { type Outcome, readLog } from '#session/log'
import { prepareRepository } from '#session/repository'
import { createTestContext } from '../../fixtures/runner-context.ts'

const first = `# Contract: hello

## C1 — hello.sh prints hello
- check: \`sh hello.sh\`
- expect: output is "hello"

## C2 — There is a readme
- check: \`test -f README.md\`
`
const second = first.replace('test -f README.md', 'test -s README.md')

/** A session whose runner is killed right after each event that says a contract is sealed. */
async function prepare(t: TestContext) {
  const context = createTestContext(t, {}, { CHECK_REPEAT_SEC: 0 })
  const { paths } = context.session
  context.record({ type: 'base.prepared', ...(await prepareRepository(paths, 'dispatch/a', undefined)) })
  const seal = (text: string, version: number) => {
    for (const file of [paths.contract, paths.contractVersion(version)]) fs.writeFileSync(file, text)
    const { contract } = parseContract(text, { allowsJudgedOnly: true })
    const fields = {
      ...buildSealFields({ contract, text, uncovered: [], excluded: [], evidence: [] }),
      sha256: hash('sha256', text),
    }
    context.record(
      version === 1
        ? { type: 'contract.sealed', ...fields }
        : { type: 'contract.amended', ...fields, version, changes: [], dilutions: [] },
    )
  }
  /** Complete the evidence and list every check in the log. */
  const complete = async () => {
    await completeBaseEvidence(context, readSealedContract(context))
    return readLog(paths.events).events.flatMap(event =>
      event.type === 'check.ran' ? [`${event.recordId} ${event.side} ${event.outcome}`] : [],
    )
  }
  return { context, seal, complete }
}

test('checks on the base that a killed runner did not record are recorded once', async t => {
  const { context, seal, complete } = await prepare(t)
  seal(first, 1)
  const both = ['base-C1 base red', 'base-C2 base red']
  assert.deepEqual(await complete(), both)
  assert.deepEqual(
    context.status.clauses.map(({ baseOutcome }) => baseOutcome),
    ['red', 'red'],
  )
  assert.deepEqual(await complete(), both, 'a second time there is nothing to do')
})

test('a check that could not run is tried again the next time', async t => {
  const { seal, complete, context } = await prepare(t)
  seal(first, 1)
  context.session.manifest.project = {
    setup: ['false'],
    files: [],
    lockfiles: [],
    makes: [],
    hosts: [],
    environment: [],
    toolchains: [],
    credentials: [],
    limit: 10,
    services: [],
    gates: [],
    models: {},
  }
  context.dependencies.set(context.status.base?.commit ?? '', Promise.resolve({ ok: false, reason: 'no disk' }))
  assert.deepEqual(await complete(), ['base-C1 base could not run', 'base-C2 base could not run'])
  context.session.manifest.project = null
  assert.deepEqual((await complete()).slice(2), ['base-C1 base red', 'base-C2 base red'])
})

test('an amended contract runs only its changed checks on the base', async t => {
  const { seal, complete, context } = await prepare(t)
  seal(first, 1)
  await complete()
  seal(second, 2)
  assert.deepEqual((await complete()).slice(2), ['base-v2-C1 base red', 'base-v2-C2 base red'])
  const readRecord = (id: string) =>
    JSON.parse(fs.readFileSync(path.join(context.session.paths.evidence, `${id}.json`), 'utf8'))
  assert.equal(readRecord('base-v2-C1').originalId, 'base-C1')
  assert.equal(readRecord('base-v2-C2').originalId, undefined)
})

test('a check that proves nothing on the base is a problem', () => {
  const find = (outcome: Outcome, isGuard: boolean) =>
    findVacuousCheck({ line: 3, id: 'C1', proof: { isGuard } }, { outcome, reason: 'because', command: 'true' })
  assert.deepEqual(find('red', false), [])
  assert.deepEqual(find('nothing ran', false), [])
  assert.deepEqual(find('green', true), [])
  for (const [outcome, isGuard] of [
    ['green', false],
    ['red', true],
    ['nothing ran', true],
    ['could not run', false],
    ['could not run', true],
    ['flaky', false],
  ] as const) {
    const [problem, ...more] = find(outcome, isGuard)
    assert.equal(more.length, 0)
    assert.equal(problem?.line, 3)
    assert.ok(problem?.message.includes('C1') && problem.remedy.length > 20)
  }
})

test('a check that starts Docker is refused in a sandbox, with what to do instead', async t => {
  const write = (command: string) => `# Contract: x\n\n## C1 — It works\n- check: \`\`${command}\`\`\n`
  const find = (command: string) => {
    const [clause] = parseContract(write(command), { allowsJudgedOnly: false }).contract.clauses.filter(isCheckClause)
    return clause ? findDockerCheck(clause) : assert.fail()
  }
  for (const command of [
    'docker compose run test',
    'A=1 docker-compose up -d',
    'cd a && sudo docker run x',
    '(docker ps)',
  ])
    assert.match(find(command)[0]?.remedy ?? '', /"services"/, command)
  for (const command of [
    'npm test',
    'test -f docker-compose.yml',
    'grep docker README',
    './docker build',
    'dockerd --x',
  ])
    assert.deepEqual(find(command), [], command)

  const context = createTestContext(t, { sandbox: { kind: 'bubblewrap', reason: '' } })
  context.record({
    type: 'base.prepared',
    ...(await prepareRepository(context.session.paths, 'dispatch/a', undefined)),
  })
  fs.writeFileSync(context.session.paths.draftContract, write('docker run x'))
  const reply = await validateDraft(context)
  assert.match(JSON.stringify(reply), /the check of C1 starts Docker/)
})
