import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { editProposal, removeEdit } from '#cli/split/edit.ts'
import type { SplitRecord } from '#cli/split/proposal.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const entry = (title: string) => ({ title, text: 'x', acceptance: ['y'], after: [] })
const record = {
  ...{ state: 'proposed', owner: 'ada', name: 'notes', number: 1 },
  issues: [entry('one'), entry('two')],
} as Partial<SplitRecord> as SplitRecord

test('a person changes a proposal in their editor; what is no proposal any more changes nothing', async t => {
  const folder = createScratchFolder(t)
  const editor = path.join(folder, 'my editor')
  fs.writeFileSync(editor, '#!/bin/sh\nsed -i "$1" "$2"\n', { mode: 0o755 })
  const edit = (script: string) => {
    process.env['VISUAL'] = `'${editor}' '${script}'`
    return editProposal(record)
  }
  const { EDITOR } = process.env
  t.after(() => {
    delete process.env['VISUAL']
    delete process.env['EDITOR']
    if (EDITOR !== undefined) process.env['EDITOR'] = EDITOR
  })
  const edited = await edit('s/one/uno/')
  assert.deepEqual(
    edited.issues.map(({ title }) => title),
    ['uno', 'two'],
  )
  assert.match(fs.readFileSync(edited.file, 'utf8'), /uno/, 'it is kept until it is accepted')
  removeEdit(edited)
  assert.ok(!fs.existsSync(path.dirname(edited.file)))
  await assert.rejects(edit('s/"issues"/"others"/'), { exitCode: 2, remedy: /[Ww]hat you wrote stays/ })
  process.env['VISUAL'] = 'false'
  await assert.rejects(editProposal(record), { exitCode: 6 })
  process.env['VISUAL'] = ''
  process.env['EDITOR'] = `'${editor}' s/two/due/`
  const byEditor = await editProposal(record)
  removeEdit(byEditor)
  assert.equal(byEditor.issues[1]?.title, 'due', 'an empty variable counts as none')
  await assert.rejects(editProposal({ ...record, state: 'accepting' }), { exitCode: 5, message: /half made/ })
})
