import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { editIssues, editProposal } from '#cli/split/edit.ts'
import type { SplitRecord } from '#cli/split/proposal.ts'
import { readDefaultConfig } from '#host/config'
import { createScratchFolder } from '../../fixtures/scratch.ts'

const entry = (title: string) => ({ title, text: 'x', acceptance: ['y'], after: [] })

test('a person changes a proposal in their editor; what is no proposal any more changes nothing', async t => {
  const folder = createScratchFolder(t)
  const editor = path.join(folder, 'my editor')
  fs.writeFileSync(editor, '#!/bin/sh\nsed -i "$1" "$2"\n', { mode: 0o755 })
  const edit = (script: string) => {
    process.env['VISUAL'] = `'${editor}' '${script}'`
    return editIssues([entry('one'), entry('two')])
  }
  t.after(() => delete process.env['VISUAL'])
  assert.deepEqual(
    (await edit('s/one/uno/')).map(({ title }) => title),
    ['uno', 'two'],
  )
  await assert.rejects(edit('s/"issues"/"others"/'), { exitCode: 2, remedy: /what you wrote is there/ })
  process.env['VISUAL'] = 'false'
  await assert.rejects(editIssues([entry('one'), entry('two')]), { exitCode: 6 })
  const half = { state: 'accepting', owner: 'ada', name: 'notes', number: 1 } as SplitRecord
  const config = readDefaultConfig({ DISPATCH_HOME: folder })
  await assert.rejects(editProposal(config, half), { exitCode: 5, message: /half made/ })
})
