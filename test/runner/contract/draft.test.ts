import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { validateDraft } from '#runner/contract/draft.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'

it('a long reason is recorded up to the path that does not fit', async t => {
  const project = { setup: ['false'], lockfiles: [], hosts: [], files: [] }
  const context = createTestContext(t, { project } as never)
  const base = { commit: 'a'.repeat(40), tree: 'b'.repeat(40) }
  context.status = { ...context.status, base }
  const reason = `the project's setup failed: ${'it said this. '.repeat(15)}full output: /${'folder/'.repeat(20)}log`
  context.dependencies.set(base.commit, Promise.resolve({ ok: false, reason }))
  const { draftContract } = context.session.paths
  fs.mkdirSync(path.dirname(draftContract), { recursive: true })
  fs.writeFileSync(
    draftContract,
    '# Contract: a\n\n## C1 — a prints a\n- check: `sh a.sh`\n- expect: output equals `a`\n',
  )
  const recorded: unknown[] = []
  context.record = body => void recorded.push(body) as never
  await validateDraft(context)
  const problem = `no check can run: the project's setup failed: ${'it said this. '.repeat(15)}full output…`
  assert.deepEqual(recorded, [{ type: 'contract.rejected', problems: [problem] }])
})
