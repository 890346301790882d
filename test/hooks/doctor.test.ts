/** `dispatch doctor` runs every hook of an install and names the one that does not work. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it, type TestContext } from 'node:test'
import { checkHooks } from '#cli/doctor/hooks.ts'
import { findClaude } from '#host/claude'
import { type Config, installFolder } from '#host/config'
import { createHookFolder, hooksFolder } from '../fixtures/run-hook.ts'

/** What doctor reports about a copy of the install with one change. */
async function examine(t: TestContext, change: (folder: string) => void) {
  const folder = createHookFolder(t)
  fs.cpSync(hooksFolder, path.join(folder, 'hooks'), { recursive: true })
  fs.copyFileSync(path.join(installFolder, 'settings.json'), path.join(folder, 'settings.json'))
  change(folder)
  const symptoms = await checkHooks({ installFolder: folder, claudeFolder: path.join(folder, 'claude') } as Config)
  return symptoms.at(-1)
}

const edit = (file: string, from: string | RegExp, to: string) => (folder: string) => {
  const before = fs.readFileSync(path.join(folder, file), 'utf8')
  const after = before.replace(from, to)
  assert.notEqual(after, before)
  fs.writeFileSync(path.join(folder, file), after)
}

it('an undamaged install fires every hook', async t => {
  const good = await examine(t, () => undefined)
  assert.equal(good?.state, 'ok', good?.message)
  assert.match(good?.message ?? '', /^claude runs them \(\d+ ms\)$/)
})

it('a claude that ignores --settings is reported', async t => {
  const bin = createHookFolder(t)
  const program = `#!/bin/sh\nexec '${findClaude()}' -p doctor\n`
  fs.writeFileSync(path.join(bin, 'claude'), program, { mode: 0o755 })
  const before = process.env['PATH']
  process.env['PATH'] = `${bin}:${before}`
  t.after(() => {
    process.env['PATH'] = before
  })
  const ignoring = await examine(t, () => undefined)
  assert.equal(ignoring?.state, 'fail', ignoring?.message)
  assert.match(ignoring?.message ?? '', /^claude did not run UserPromptSubmit/)
})

const damages: [title: string, (folder: string) => void, RegExp][] = [
  ['no recorder', folder => fs.rmSync(path.join(folder, 'hooks/record')), /SessionEnd: exit 0, but no event file/],
  ['a recorder that is empty', folder => fs.writeFileSync(path.join(folder, 'hooks/record'), ''), /no event file/],
  ['a stop hook that does not answer', edit('hooks/stop', 'with_timeout answer', 'true'), /Stop: .*does not answer/],
  ['a guard that allows everything', edit('hooks/guard', 'return 11', 'return 0'), /PreToolUse: .*does not answer/],
  ['a guard that reports nothing', edit('hooks/guard', /^ +report$/m, '  :'), /PreToolUse: exit 0, but no event file/],
  [
    'one event without a hook',
    edit('settings.json', '"StopFailure"', '"Other"'),
    /StopFailure: settings.json has no hook/,
  ],
  ['settings that cannot be parsed', edit('settings.json', '{', ''), /settings.json has no hook/],
  [
    'a hook that other users can write',
    folder => fs.chmodSync(path.join(folder, 'hooks/record'), 0o777),
    /`chmod o-w /,
  ],
]

for (const [about, change, says] of damages)
  it(`a damaged install: ${about}`, async t => {
    const bad = await examine(t, change)
    assert.equal(bad?.state, 'fail', bad?.message)
    assert.match(bad?.message ?? '', says)
    assert.match(bad?.fix?.mac ?? '', /checkout hooks settings\.json/)
  })
