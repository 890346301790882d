/** What the checks show before any work is on record, whatever moment a runner was killed at. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { RunnerContext } from '#runner/context.ts'
import { completeBaseEvidence } from '#runner/contract/base-checks.ts'
import { buildSealFields, readSealedContract } from '#runner/contract/seal.ts'
import { parseContract } from '#session/contract'
import { appendEvent, type Event, type EventBody, readLog } from '#session/log'
import { resolveSessionPaths } from '#session/paths.ts'
import { prepareRepository } from '#session/repository'
import { applyEvent, initialStatus, type SessionStatus } from '#session/status'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const first = `# Contract: hello

## C1 — hello.sh prints hello
- check: \`sh hello.sh\`
- expect: output is "hello"

## C2 — There is a readme
- check: \`test -f README.md\`
`
const second = first.replace('test -f README.md', 'test -s README.md')

/** A session whose runner was killed as soon as it had said that this contract is sealed. */
async function sealedSession(t: TestContext) {
  const paths = resolveSessionPaths(path.join(createScratchFolder(t), 'session'))
  fs.mkdirSync(paths.evidence, { recursive: true })
  const running = {
    session: { paths, manifest: { project: null, sandbox: { kind: null, reason: '' } } },
    config: { CHECK_TIMEOUT_SEC: 20, CHECK_REPEAT_SEC: 0 },
    dependencies: new Map(),
    checkResults: new Map(),
    status: initialStatus as SessionStatus,
    record(happening: EventBody): Event {
      const event = appendEvent(paths.events, happening, running.status.lastSeq, new Date())
      running.status = applyEvent(running.status, event)
      return event
    },
  }
  running.record({ type: 'base.prepared', ...(await prepareRepository(paths, 'dispatch/a', undefined)) })
  const seal = (text: string, version: number) => {
    for (const file of [paths.contract, paths.contractVersion(version)]) fs.writeFileSync(file, text)
    const { contract } = parseContract(text, { allowsJudgedOnly: true })
    const sealed = { ...buildSealFields({ contract, text, uncovered: [], evidence: [] }), sha256: hash('sha256', text) }
    running.record(
      version === 1
        ? { type: 'contract.sealed', ...sealed }
        : { type: 'contract.amended', ...sealed, version, changes: [], dilutions: [] },
    )
  }
  const complete = () =>
    completeBaseEvidence(
      running as unknown as RunnerContext,
      readSealedContract(running as unknown as RunnerContext),
    ).then(() =>
      readLog(paths.events).events.flatMap(event =>
        event.type === 'check.ran' ? [`${event.recordId} ${event.side} ${event.outcome}`] : [],
      ),
    )
  return { running, seal, complete }
}

test('what a killed runner did not record of the base is recorded before work is judged, once', async t => {
  const { running, seal, complete } = await sealedSession(t)
  seal(first, 1)
  const both = ['base-C1 base red', 'base-C2 base red']
  assert.deepEqual(await complete(), both)
  assert.deepEqual(
    running.status.clauses.map(({ baseOutcome }) => baseOutcome),
    ['red', 'red'],
  )
  assert.deepEqual(await complete(), both, 'a second time there is nothing to do')
})

test('what could not run is tried again the next time', async t => {
  const { seal, complete, running } = await sealedSession(t)
  seal(first, 1)
  const project = { setup: [{ run: 'false', lock: [] }] }
  Object.assign(running.session.manifest, { project })
  running.dependencies.set(running.status.base?.commit, Promise.resolve({ ok: false, reason: 'no disk' }))
  assert.deepEqual(await complete(), ['base-C1 base could not run', 'base-C2 base could not run'])
  Object.assign(running.session.manifest, { project: null })
  assert.deepEqual((await complete()).slice(2), ['base-C1 base red', 'base-C2 base red'])
})

test('a version of the contract has a base of its own, and what has not changed is not run again', async t => {
  const { seal, complete, running } = await sealedSession(t)
  seal(first, 1)
  await complete()
  seal(second, 2)
  assert.deepEqual((await complete()).slice(2), ['base-v2-C1 base red', 'base-v2-C2 base red'])
  const record = (id: string) =>
    JSON.parse(fs.readFileSync(path.join(running.session.paths.evidence, `${id}.json`), 'utf8'))
  assert.equal(record('base-v2-C1').originalId, 'base-C1')
  assert.equal(record('base-v2-C2').originalId, undefined)
})
