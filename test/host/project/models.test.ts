import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseModels } from '#host/project'
import { parseProject } from '#host/project/project.ts'

const parse = (models: object) => parseProject('.dispatch.json', JSON.stringify({ models }))

test('a tag goes before the priority, for each role', () => {
  const { models } = parse({
    critical: { orchestrator: 'opus', code: 'opus' },
    docs: { code: 'haiku' },
    api: { code: 'sonnet', rw: 'sonnet' },
  })
  const choose = (priority: string, ...tags: string[]) => chooseModels(models, { tags, priority })
  assert.deepEqual(choose('critical'), { orchestrator: 'opus', code: 'opus' })
  assert.deepEqual(choose('default'), {})
  assert.deepEqual(choose('critical', 'docs'), { orchestrator: 'opus', code: 'haiku' })
  assert.deepEqual(choose('critical', 'docs', 'api'), { orchestrator: 'opus', code: 'haiku', rw: 'sonnet' })
  assert.deepEqual(choose('low', 'other', 'api'), { code: 'sonnet', rw: 'sonnet' })
  assert.deepEqual(choose('constructor', 'toString'), {})
  assert.deepEqual(chooseModels(parseProject('x', '{}').models, { tags: ['docs'], priority: 'high' }), {})
})

test('it is strict', () => {
  for (const [models, message] of [
    [{ critical: { orchestra: 'opus' } }, /models\.critical\.orchestra: unknown key/],
    [{ critical: { code: '--force' } }, /models\.critical\.code: must be a model, or several/],
    [{ critical: 'opus' }, /models\.critical: must have models by role/],
    [{ 'two words': { code: 'opus' } }, /two words/],
  ] as const)
    assert.throws(() => parse(models), { exitCode: 2, message })
})
