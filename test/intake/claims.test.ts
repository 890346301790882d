import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { claimFile, createInbox, getInbox, giveBack, keepClaim, listClaims, rejectClaim } from '#intake'
import { createScratchFolder } from '../fixtures/scratch.ts'

const HOME = '/a/home'

function prepare(t: TestContext, ...names: string[]) {
  const repository = createScratchFolder(t)
  createInbox(repository)
  const inbox = getInbox(repository)
  const taken = path.join(repository, '.agent-queue/taken')
  for (const name of names) fs.writeFileSync(path.join(inbox, name), name)
  const claim = (name: string, home = HOME) => claimFile(home, repository, name) ?? assert.fail(`${name} is gone`)
  return { repository, inbox, taken, claim, list: () => fs.readdirSync(inbox).sort() }
}

test('a file is claimed once, found again by its home alone, and kept under the id of its item', t => {
  const { repository, taken, claim, list } = prepare(t, 'a.md', 'b.md')
  const claimed = claim('a.md')
  assert.deepEqual(list(), ['b.md'])
  assert.equal(claimFile(HOME, repository, 'a.md'), undefined)
  assert.equal(fs.readdirSync(taken).length, 1, 'nothing is left of the second try')
  assert.deepEqual(listClaims(HOME, repository), [claimed])
  assert.deepEqual(listClaims('/another/home', repository), [])
  assert.notEqual(claim('b.md').key, claimed.key)
  keepClaim(claimed, 'q-17')
  keepClaim(claimed, 'q-17')
  assert.deepEqual(
    listClaims(HOME, repository).map(({ name }) => name),
    ['b.md'],
  )
  const [kept = ''] = fs.readdirSync(taken).filter(name => name.startsWith('q-17-'))
  assert.equal(fs.readFileSync(path.join(taken, kept, 'a.md'), 'utf8'), 'a.md')
})

test('a claim that was begun and took nothing leaves nothing', t => {
  const { repository, taken, claim } = prepare(t, 'a.md')
  const claimed = claim('a.md')
  fs.rmSync(claimed.file)
  assert.deepEqual(listClaims(HOME, repository), [])
  assert.deepEqual(fs.readdirSync(taken), [])
})

test('what is put back replaces nothing', t => {
  const { inbox, taken, claim, list } = prepare(t, 'a.md')
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

test('a rejected file stays beside its reason', t => {
  const long = `${'ü'.repeat(125)}.md`
  const { inbox, claim, list } = prepare(t, 'a.md', long)
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

test('the name of a claim is worked out once, however many files were ever taken', t => {
  const { repository, claim } = prepare(t, 'a.md', 'b.md', 'c.md')
  for (const name of ['a.md', 'b.md']) keepClaim(claim(name), `q-${name}`)
  claim('c.md')
  const pattern = t.mock.method(globalThis, 'RegExp')
  assert.equal(listClaims(HOME, repository).length, 1)
  assert.equal(pattern.mock.callCount(), 1)
})
