/** What the checks show before any work is on record, whatever moment a runner was killed at. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { completeBase } from '../../runner/base.ts'
import type { Running } from '../../runner/running.ts'
import { sealedContract, sealOf } from '../../runner/seal.ts'
import {
  advance,
  append,
  type Event,
  type Happening,
  nothing,
  parseContract,
  pathsOf,
  prepareTrees,
  readLog,
  type Status,
} from '../../session/index.ts'
import { scratch } from '../host/scratch.ts'

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
  const paths = pathsOf(path.join(scratch(t), 'session'))
  fs.mkdirSync(paths.evidence, { recursive: true })
  const running = {
    session: { paths, opening: { project: null, sandbox: { kind: null, why: '' } } },
    config: { CHECK_TIMEOUT_SEC: 20, CHECK_REPEAT_SEC: 0 },
    setups: new Map(),
    seen: new Map(),
    status: nothing as Status,
    record(happening: Happening): Event {
      const event = append(paths.events, happening, running.status.seq, new Date())
      running.status = advance(running.status, event)
      return event
    },
  }
  running.record({ is: 'base.prepared', ...(await prepareTrees(paths, 'dispatch/a', undefined)) })
  const seal = (text: string, version: number) => {
    for (const file of [paths.contract, paths.contractVersion(version)]) fs.writeFileSync(file, text)
    const { contract } = parseContract(text, { judgedOnly: true })
    const sealed = { ...sealOf({ contract, text, uncovered: [], evidence: [] }), sha256: hash('sha256', text) }
    running.record(
      version === 1
        ? { is: 'contract.sealed', ...sealed }
        : { is: 'contract.amended', ...sealed, version, changes: [], dilutions: [] },
    )
  }
  const complete = () =>
    completeBase(running as unknown as Running, sealedContract(running as unknown as Running)).then(() =>
      readLog(paths.events).events.flatMap(event =>
        event.is === 'check.ran' ? [`${event.record} ${event.side} ${event.outcome}`] : [],
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
    running.status.clauses.map(({ base }) => base),
    ['red', 'red'],
  )
  assert.deepEqual(await complete(), both, 'a second time there is nothing to do')
})

test('what could not run is tried again the next time', async t => {
  const { seal, complete, running } = await sealedSession(t)
  seal(first, 1)
  const project = { setup: [{ run: 'false', lock: [] }] }
  Object.assign(running.session.opening, { project })
  running.setups.set(running.status.base?.commit, Promise.resolve({ ok: false, why: 'no disk' }))
  assert.deepEqual(await complete(), ['base-C1 base could not run', 'base-C2 base could not run'])
  Object.assign(running.session.opening, { project: null })
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
  assert.equal(record('base-v2-C1').from, 'base-C1')
  assert.equal(record('base-v2-C2').from, undefined)
})
