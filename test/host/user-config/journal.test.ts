/** Installing and uninstalling: the journal restores a file byte for byte, and changes of others stay. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { DispatchError } from '#host/error.ts'
import { installEntries, type JsonEntry, listChangedFiles, uninstallEntries } from '#host/user-config'
import { insertEntries } from '#host/user-config/json-merge.ts'
import { createUserFile, hookEntries, trustEntries } from '../../fixtures/host/user-file.ts'

describe('mode, owner and links of the file stay', () => {
  for (const mode of [0o600, 0o644, 0o640, 0o664, 0o444, 0o400])
    test(`mode ${mode.toString(8)} stays`, async t => {
      const { file, journal } = createUserFile(t, '{"a":1}')
      fs.chmodSync(file, mode)
      await installEntries(journal, file, hookEntries)
      assert.equal(fs.statSync(file).mode & 0o7777, mode)
      await uninstallEntries(journal, file)
      assert.equal(fs.statSync(file).mode & 0o7777, mode)
    })

  test('a file that did not exist is created with mode 600, then removed', async t => {
    const { file, journal } = createUserFile(t)
    for (let run = 0; run < 100; run++) await installEntries(journal, file, hookEntries)
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(Object.keys(JSON.parse(fs.readFileSync(file, 'utf8')).hooks), ['Stop', 'Notification'])
    await uninstallEntries(journal, file)
    assert.deepEqual(fs.readdirSync(path.dirname(file)), [])
  })

  test('a created file that others have written stays, without the entries', async t => {
    const { file, journal } = createUserFile(t)
    await installEntries(journal, file, trustEntries)
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), numStartups: 1 }, null, 2))
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), '{\n  "numStartups": 1\n}')
  })

  for (const links of [1, 2, 5])
    test(`${links === 1 ? 'a link' : `a chain of ${links} links`} stays, and its target is written`, async t => {
      const { file, journal, folder } = createUserFile(t)
      fs.mkdirSync(path.join(folder, 'dotfiles'))
      const target = path.join(folder, 'dotfiles/claude.json')
      fs.writeFileSync(target, '{"a": 1}')
      for (let link = 1; link < links; link++)
        fs.symlinkSync(`${link === 1 ? 'claude.json' : link - 1}`, path.join(folder, `dotfiles/${link}`))
      fs.symlinkSync(`../dotfiles/${links === 1 ? 'claude.json' : links - 1}`, file)
      await installEntries(journal, file, hookEntries)
      assert.ok(fs.lstatSync(file).isSymbolicLink() && fs.lstatSync(target).isFile())
      assert.ok(fs.readFileSync(target, 'utf8').includes('hooks/external'))
      await uninstallEntries(journal, file)
      assert.equal(fs.readFileSync(target, 'utf8'), '{"a": 1}')
      assert.ok(fs.lstatSync(file).isSymbolicLink())
      assert.equal(fs.readdirSync(path.join(folder, 'dotfiles')).length, links)
    })

  test('a link to nothing: its target is created, and removed afterwards', async t => {
    const { file, journal, folder } = createUserFile(t)
    fs.symlinkSync('../new/place.json', file)
    await installEntries(journal, file, hookEntries)
    assert.ok(fs.lstatSync(path.join(folder, 'new/place.json')).isFile())
    await uninstallEntries(journal, file)
    assert.ok(fs.lstatSync(file).isSymbolicLink() && !fs.existsSync(file))
  })

  test('a link to itself and a folder are exit 2', async t => {
    const { file, journal } = createUserFile(t)
    const assertUsageError = () =>
      assert.rejects(
        installEntries(journal, file, hookEntries),
        (error: unknown) => error instanceof DispatchError && error.exitCode === 2,
      )
    fs.symlinkSync('settings.json', file)
    await assertUsageError()
    fs.rmSync(file)
    fs.mkdirSync(file)
    await assertUsageError()
  })

  test('the owner stays when this process is root', {
    skip: process.getuid?.() !== 0 && 'only root may give a file away: run it as root',
  }, async t => {
    const { file, journal } = createUserFile(t, '{}')
    fs.chownSync(file, 1234, 4321)
    await installEntries(journal, file, hookEntries)
    assert.deepEqual([fs.statSync(file).uid, fs.statSync(file).gid], [1234, 4321])
  })
})

describe('changes of others stay', () => {
  test('entries that were moved, copied or edited are removed; other hooks stay', async t => {
    const { file, journal } = createUserFile(t, '{\n  "hooks": {} // mine\n}\n')
    await installEntries(journal, file, hookEntries)
    const [entry] = JSON.parse(JSON.stringify(hookEntries[0]?.value)).hooks
    const edited = {
      hooks: {
        Notification: [
          {
            matcher: '',
            hooks: [
              { ...entry, timeout: 3 },
              { type: 'command', command: 'other' },
            ],
          },
        ],
        Stop: [{ hooks: [entry] }, { hooks: [{ ...entry, timeout: 5 }] }],
        Other: [],
      },
    }
    fs.writeFileSync(file, JSON.stringify(edited))
    await uninstallEntries(journal, file)
    assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), {
      hooks: { Notification: [{ matcher: '', hooks: [{ type: 'command', command: 'other' }] }], Other: [] },
    })
  })

  test('a replaced value comes back, unless the user has changed it since', async t => {
    const before = '{"projects": {"/h/workspace": {"hasTrustDialogAccepted": false, "history": ["“q”"]}}}'
    const { file, journal } = createUserFile(t, before)
    await installEntries(journal, file, trustEntries)
    assert.equal(fs.readFileSync(file, 'utf8'), before.replace('false', 'true'))
    fs.appendFileSync(file, '\n')
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), `${before}\n`)

    await installEntries(journal, file, trustEntries)
    fs.writeFileSync(file, '{"projects": {"/h/workspace": {"hasTrustDialogAccepted": "no"}}}')
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), '{"projects": {"/h/workspace": {"hasTrustDialogAccepted": "no"}}}')
  })

  test('entries that existed before are not recorded, and not removed', async t => {
    const { file, journal } = createUserFile(t, insertEntries('{}', hookEntries, 'x'))
    const before = fs.readFileSync(file, 'utf8')
    await installEntries(journal, file, hookEntries)
    assert.ok(!fs.existsSync(journal))
    assert.equal(fs.readFileSync(file, 'utf8'), before)
  })

  test('an install that moved replaces its entries; uninstall restores the file', async t => {
    const { file, journal } = createUserFile(t, '{"a": 1}')
    await installEntries(journal, file, hookEntries)
    const moved = hookEntries.map(
      entry => JSON.parse(JSON.stringify(entry).replaceAll('my dispatch', 'moved')) as JsonEntry,
    )
    await installEntries(journal, file, moved)
    assert.ok(!fs.readFileSync(file, 'utf8').includes('my dispatch'))
    assert.deepEqual(listChangedFiles(journal), [file])
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), '{"a": 1}')
  })

  test('a change of others between two installs survives, byte for byte', async t => {
    const { file, journal } = createUserFile(t, '{\n  "a": 1\n}\n')
    await installEntries(journal, file, hookEntries)
    fs.writeFileSync(file, '{\n  "a": 1,\n  "b": 2 // new\n}\n')
    await installEntries(journal, file, hookEntries)
    await uninstallEntries(journal, file)
    assert.equal(fs.readFileSync(file, 'utf8'), '{\n  "a": 1,\n  "b": 2 // new\n}\n')
  })
})
