import assert from 'node:assert/strict'
import fs from 'node:fs'
import { it, type TestContext } from 'node:test'
import { sha256 } from '#host/hash.ts'
import { readSealedContract, restoreContractFile } from '#runner/contract/seal.ts'
import { initialStatus } from '#session/status'
import { createTestContext } from '../../fixtures/runner-context.ts'

const first = `# Contract: hello

## C1 — hello.sh prints hello
- check: \`sh hello.sh\`
- expect: output equals \`hello\`
`
const second = `${first}
## C2 — It is one line
- check: \`grep -c hello hello.sh\`
`
const third = second.replace('- expect: output equals `hello`\n', '')

/** A session whose log names the last of these versions, while `contract.md` has another text or does not exist. */
function prepare(t: TestContext, versions: string[], current: string | undefined) {
  const context = createTestContext(t)
  const { paths } = context.session
  for (const [index, text] of versions.entries()) fs.writeFileSync(paths.contractVersion(index + 1), text)
  if (current !== undefined) fs.writeFileSync(paths.contract, current)
  const contract = {
    sha256: sha256(versions.at(-1) ?? ''),
    version: versions.length,
    uncoveredSentences: [],
    excludedSentences: [],
    dilutions: [],
  }
  context.status = { ...initialStatus, contract }
  return { context, paths }
}

it('contract.md is restored if it is missing or one version behind', t => {
  const cases: [versions: string[], current: string | undefined][] = [
    [[first], undefined],
    [[first, second], first],
    [[first, second, third], second],
  ]
  for (const [versions, current] of cases) {
    const { context, paths } = prepare(t, versions, current)
    assert.ok(readSealedContract(context).clauses.length > 0)
    assert.equal(fs.readFileSync(paths.contract, 'utf8'), versions.at(-1))
  }
})

it('any other contract.md is left alone and is an integrity failure', t => {
  const cases: [versions: string[], current: string][] = [
    [[first], '# mine'],
    [[first, second], third],
    [[first, second, third], first],
  ]
  for (const [versions, current] of cases) {
    const { context, paths } = prepare(t, versions, current)
    assert.throws(() => readSealedContract(context), { exitCode: 13 })
    assert.equal(fs.readFileSync(paths.contract, 'utf8'), current)
  }
})

it('a saved version that was changed is not restored', t => {
  const { context, paths } = prepare(t, [first, second], first)
  fs.writeFileSync(paths.contractVersion(2), third)
  restoreContractFile(context)
  assert.equal(fs.readFileSync(paths.contract, 'utf8'), first)
})
