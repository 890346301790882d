import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSameModel, listJudgeModels } from '#validator/models.ts'

test('a list of models is read without blanks and repetitions', () => {
  assert.deepEqual(listJudgeModels('a'), ['a'])
  assert.deepEqual(listJudgeModels('a, b ,a'), ['a', 'b'])
})

test('a dated version is the same model, a sibling is not', () => {
  const same = ['gemini-3.8-flash', 'models/gemini-3.8-flash', 'gemini-3.8-flash-001', 'gemini-3.8-flash-09-2026']
  for (const answered of same) assert.ok(isSameModel('gemini-3.8-flash', answered), answered)
  const others = ['gemini-3.8-flash-lite', 'gemini-3.8', 'gemini-3.8-flashy', 'gemini-4-argon', '']
  for (const answered of others) assert.ok(!isSameModel('gemini-3.8-flash', answered), answered)
})
