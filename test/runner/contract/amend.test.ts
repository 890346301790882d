import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it, type TestContext } from 'node:test'
import { sha256 } from '#host/hash.ts'
import { amendContract } from '#runner/contract/amend.ts'
import { readLog } from '#session/log'
import { prepareRepository } from '#session/repository'
import { createTestContext } from '../../fixtures/runner-context.ts'

const sealed = '# Contract: a poem\n\n## C1 — It rhymes\n- covers: S1\n- judged\n\n## C2 — It is short\n- judged\n'
const weaker = sealed.replace('\n## C2 — It is short\n- judged\n', '')
const stricter = `${sealed}\n## C3 — It is signed\n- judged\n`

/** A session with a sealed contract. `amend` writes a draft and runs `contract amend`. */
async function prepare(t: TestContext) {
  const context = createTestContext(t, { allowsJudgedOnly: true })
  const { paths } = context.session
  const clauses = ['C1', 'C2'].map(id => ({ id, sentence: id, proof: 'judged' as const }))
  context.record({ type: 'base.prepared', ...(await prepareRepository(paths, 'dispatch/a', undefined)) })
  for (const file of [paths.contract, paths.contractVersion(1)]) fs.writeFileSync(file, sealed)
  context.record({ type: 'contract.sealed', sha256: sha256(sealed), clauses, uncoveredSentences: [] })
  const amend = (draft: string) => {
    fs.writeFileSync(path.join(paths.orchestratorFolder, 'contract.md'), draft)
    return amendContract(context, 'so')
  }
  const getVersion = () => context.status.contract?.version
  const countRequests = () => readLog(paths.events).events.filter(({ type }) => type === 'approval.requested').length
  const approve = (text: string) => context.record({ type: 'contract.approved', sha256: sha256(text), actor: 'me' })
  return { context, paths, amend, getVersion, countRequests, approve }
}

it('a new title is not an amendment', async t => {
  const { amend, getVersion } = await prepare(t)
  assert.equal((await amend(sealed.replace('a poem', 'a better poem'))).exitCode, 0)
  assert.equal(getVersion(), 1)
})

it('a stricter version applies at once', async t => {
  const { paths, amend, getVersion, countRequests } = await prepare(t)
  assert.equal((await amend(stricter)).exitCode, 0)
  assert.deepEqual([getVersion(), countRequests()], [2, 0])
  assert.equal(fs.readFileSync(paths.contract, 'utf8'), stricter)
})

it('a weaker version asks the human once, and applies after approval', async t => {
  const { context, paths, amend, getVersion, countRequests, approve } = await prepare(t)
  assert.equal((await amend(weaker)).exitCode, 5)
  assert.equal((await amend(weaker)).exitCode, 5)
  assert.deepEqual([getVersion(), countRequests()], [1, 1])
  assert.equal(context.status.approval?.previousSha256, sha256(sealed))
  assert.equal(fs.readFileSync(paths.contract, 'utf8'), sealed, 'the sealed contract stays in force')
  approve(weaker)
  assert.equal((await amend(weaker)).exitCode, 0)
  assert.equal(getVersion(), 2)
  assert.equal(fs.readFileSync(paths.contract, 'utf8'), weaker)
})

it('an approval is used up by one amendment of one sealed contract', async t => {
  const { amend, getVersion, countRequests, approve } = await prepare(t)
  await amend(weaker)
  approve(weaker)
  await amend(weaker)
  assert.equal((await amend(sealed)).exitCode, 0)
  assert.equal(getVersion(), 3)
  assert.equal((await amend(weaker)).exitCode, 5, 'the approval of version 2 is used up')
  assert.equal(countRequests(), 2)
  approve(weaker)
  assert.equal((await amend(stricter)).exitCode, 0)
  assert.equal(getVersion(), 4)
  assert.equal((await amend(weaker)).exitCode, 5, 'the approval was for an amendment of version 3, not of 4')
  assert.equal(countRequests(), 3)
})
