import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { claimFile, createInbox, getInbox, giveBack, keepClaim, listClaims, rejectClaim } from '#intake'
import { createRepository } from '../fixtures/host/repository.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

async function prepare(t: TestContext, ...names: string[]) {
  const { path: repository } = await createRepository(t, { 'a.txt': '1' })
  const home = createScratchFolder(t)
  createInbox(repository)
  const inbox = getInbox(repository)
  const taken = path.join(repository, '.agent-queue/taken')
  for (const name of names) fs.writeFileSync(path.join(inbox, name), name)
  const claim = (name: string) => claimFile(home, repository, name) ?? assert.fail(`${name} is gone`)
  const listFound = async (at = home) => (await listClaims(at, repository))?.claims
  return { repository, home, inbox, taken, claim, listFound, list: () => fs.readdirSync(inbox).sort() }
}

test('a file is claimed once, found again by its home alone, and kept under the id of its item', async t => {
  const { repository, home, taken, claim, listFound, list } = await prepare(t, 'a.md', 'b.md')
  const claimed = claim('a.md')
  assert.deepEqual(list(), ['b.md'])
  assert.equal(claimFile(home, repository, 'a.md'), undefined)
  assert.equal(fs.readdirSync(taken).length, 1, 'nothing is left of the second try')
  assert.deepEqual(await listFound(), [claimed])
  const another = createScratchFolder(t)
  assert.deepEqual(await listFound(another), [])
  fs.copyFileSync(path.join(home, 'inbox-secret'), path.join(another, 'inbox-secret'))
  assert.deepEqual(await listFound(another), [], 'a copy of a home is another home')
  assert.notEqual(claim('b.md').key, claimed.key)
  keepClaim(claimed, 'q-17')
  keepClaim(claimed, 'q-17')
  assert.deepEqual(
    (await listFound())?.map(({ name }) => name),
    ['b.md'],
  )
  const [kept = ''] = fs.readdirSync(taken).filter(name => name.startsWith('q-17-'))
  assert.equal(fs.readFileSync(path.join(taken, kept, 'a.md'), 'utf8'), 'a.md')
})

test('only the home that has the secret can name a claim', async t => {
  const { home, taken, claim, listFound } = await prepare(t, 'a.md')
  const file = path.join(home, 'inbox-secret')
  fs.writeFileSync(file, 'damaged')
  const claimed = claim('a.md')
  const secret = fs.readFileSync(file, 'utf8')
  assert.match(secret, /^[0-9a-f]{64}\n$/)
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(fs.readdirSync(home), ['inbox-secret'])
  fs.cpSync(claimed.folder, path.join(taken, `${path.basename(claimed.folder).slice(0, -1)}g`), { recursive: true })
  const forged = path.basename(claimed.folder).replace(/.{16}$/, '0'.repeat(16))
  fs.cpSync(claimed.folder, path.join(taken, forged), { recursive: true })
  assert.deepEqual(await listFound(), [claimed])
  fs.writeFileSync(
    file,
    secret.replace(/./, digit => (digit === '0' ? '1' : '0')),
  )
  assert.deepEqual(await listFound(), [])
})

test('a claim that was begun and took nothing leaves nothing', async t => {
  const { taken, claim, listFound } = await prepare(t, 'a.md')
  const claimed = claim('a.md')
  fs.rmSync(claimed.file)
  assert.deepEqual(await listFound(), [])
  assert.deepEqual(fs.readdirSync(taken), [])
})

test('what is put back replaces nothing', async t => {
  const { inbox, taken, claim, list } = await prepare(t, 'a.md')
  const first = claim('a.md')
  assert.equal(giveBack(first), 'a.md')
  assert.deepEqual(list(), ['a.md'])
  const again = claim('a.md')
  fs.writeFileSync(path.join(inbox, 'a.md'), 'new')
  assert.equal(giveBack(again), 'a-2.md')
  assert.equal(fs.readFileSync(path.join(inbox, 'a.md'), 'utf8'), 'new')
  assert.equal(fs.readFileSync(path.join(inbox, 'a-2.md'), 'utf8'), 'a.md')
  assert.deepEqual(fs.readdirSync(taken), [])
})

test('a rejected file stays beside its reason', async t => {
  const long = `${'ü'.repeat(125)}.md`
  const { inbox, claim, list } = await prepare(t, 'a.md', long)
  const rejected = rejectClaim(claim('a.md'), 'a typo')
  assert.equal(path.relative(inbox, rejected), 'a.md.rejected')
  assert.equal(fs.readFileSync(`${rejected}.txt`, 'utf8'), 'a typo\n')
  fs.writeFileSync(path.join(inbox, 'a.md'), 'again')
  assert.equal(path.basename(rejectClaim(claim('a.md'), 'another')), 'a.md-2.rejected')
  fs.writeFileSync(path.join(inbox, 'b.md'), 'x')
  fs.writeFileSync(path.join(inbox, 'b.md.rejected.txt'), 'of the user')
  assert.equal(path.basename(rejectClaim(claim('b.md'), 'a third')), 'b.md-2.rejected')
  assert.equal(fs.readFileSync(path.join(inbox, 'b.md.rejected.txt'), 'utf8'), 'of the user')
  rejectClaim(claim(long), 'too long')
  assert.equal(list().length, 9)
  assert.ok(list().every(name => Buffer.byteLength(name) < 255))
})

test('the secret of a home is read once, however many files were ever taken', async t => {
  const { claim, listFound } = await prepare(t, 'a.md', 'b.md', 'c.md', 'd.md')
  for (const name of ['a.md', 'b.md']) keepClaim(claim(name), `q-${name}`)
  for (const name of ['c.md', 'd.md']) claim(name)
  const read = t.mock.method(fs, 'readFileSync')
  assert.equal((await listFound())?.length, 2)
  assert.equal(read.mock.callCount(), 1)
})
