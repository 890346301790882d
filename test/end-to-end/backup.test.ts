import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { backUp } from '#cli/backup/backup.ts'
import { restore } from '#cli/backup/restore.ts'
import { readDefaultConfig } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { auditSession } from '#session/audit'
import { cutOffScenario, startWaiting } from '../fixtures/cut-off-session.ts'
import { commitFolder, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { areAllCasesWanted } from '../long/select-cases.ts'

/** Run `dispatch` with another home, and fail unless it ends with this exit code. */
async function expectExit(rig: Rig, exitCode: number, args: string[], home?: string): Promise<string> {
  const env: Record<string, string> = home === undefined ? {} : { DISPATCH_HOME: home }
  const ran = await rig.dispatch(args, { env })
  assert.equal(ran.exitCode, exitCode, `dispatch ${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
  return ran.stdout
}

test('a home is backed up while its daemon runs, and restored at the same path and at another one', () =>
  withRig(helloScenario, async rig => {
    const project = path.join(rig.home, 'elsewhere/project')
    fs.mkdirSync(project)
    fs.writeFileSync(path.join(project, 'README.md'), 'hello\n')
    await commitFolder(project)
    const ran = await rig.dispatch([helloTask, '--wait', '--repo', project])
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    const { id, paths } = rig.readSession()
    fs.writeFileSync(path.join(rig.home, 'dispatch/.env'), 'ROUNDS=4\n')
    await expectExit(rig, 0, ['later', 'do it', '--no-repo', '--at', '2036-01-01T00:00'])
    // What an agent may leave in outputs/, below what git ignores, so that the verdict holds.
    const odd = path.join(paths.outputs, '.git/odd')
    fs.mkdirSync(odd)
    fs.writeFileSync(Buffer.concat([Buffer.from(`${odd}/a\nb `), Buffer.of(0xff, 0xfe)]), 'not UTF-8')
    fs.symlinkSync('/etc/passwd', path.join(odd, 'link'))
    assert.equal((await runProgram('mkfifo', [path.join(odd, 'pipe')])).exitCode, 0)

    const folder = path.join(rig.home, 'backups')
    const first = JSON.parse(await expectExit(rig, 0, ['backup', folder, '--json']))
    assert.equal(first.sessions, 1)
    assert.deepEqual(
      first.skipped.map((each: { path: string }) => path.basename(each.path)),
      ['pipe'],
    )
    const second = JSON.parse(await expectExit(rig, 0, ['backup', folder, '--json']))
    // The list of a young session is written again: only now its files are known to be old enough.
    assert.ok(second.writtenBytes < first.writtenBytes / 3, `${second.writtenBytes} of ${first.writtenBytes}`)
    await expectExit(rig, 0, ['backup', folder, '--verify'])
    await expectExit(rig, 5, ['restore', folder])

    await expectExit(rig, 0, ['stop', '--all'])
    const home = path.join(rig.home, 'dispatch')
    fs.renameSync(home, `${home}-lost`)
    await expectExit(rig, 0, ['restore', folder])
    assert.ok(!fs.existsSync(path.join(home, '.env')), 'secrets only on request')
    const other = path.join(rig.home, 'other home')
    await expectExit(rig, 0, ['restore', folder, '--into', other])
    for (const each of [home, other]) {
      await expectExit(rig, 0, ['audit', id], each)
      assert.match(await expectExit(rig, 0, ['show', id], each), /PASS/)
      assert.match(await expectExit(rig, 0, ['ls'], each), /PASS/)
      assert.match(await expectExit(rig, 0, ['queue'], each), /do it/)
      await expectExit(rig, 0, ['apply', id, '--branch', `from-${path.basename(each).slice(0, 5)}`], each)
      const restored = path.join(each, 'workspace', id, 'outputs/.git/odd')
      assert.equal(fs.readlinkSync(path.join(restored, 'link')), '/etc/passwd')
      const names = fs.readdirSync(restored, 'latin1')
      assert.deepEqual(names.sort(), ['a\nb \xff\xfe', 'link'])
      assert.ok(fs.existsSync(path.join(each, 'paused.json')), 'the queue would go on')
    }
    const packs = fs.readdirSync(path.join(other, 'workspace', id, 'base-objects/pack'))
    assert.ok(packs.length > 0)
    for (const name of packs)
      assert.ok(fs.statSync(path.join(other, 'workspace', id, 'base-objects/pack', name)).nlink > 1, 'shared again')
  }))

test('every backup that is made while a session runs has a sound record', t =>
  withRig(helloScenario, async rig => {
    const running = rig.dispatch([helloTask, '--wait', '--no-repo'])
    let isOver = false
    void running.finally(() => {
      isOver = true
    })
    await rig.waitUntil('there is a session', () => fs.existsSync(path.join(rig.home, 'dispatch/workspace')))
    // In this process, so that there are many.
    const config = readDefaultConfig({ DISPATCH_HOME: path.join(rig.home, 'dispatch') })
    const folder = path.join(rig.home, 'backups')
    for (let count = 0; !isOver; count++) {
      // Some begin from nothing, which takes longer.
      const isNew = count % 10 === 0
      await backUp(config, isNew ? `${folder}-${count}` : folder, { hasSecrets: false, keptCount: 10_000 })
    }
    assert.equal((await running).exitCode, 0)
    const { id } = rig.readSession()
    let audited = 0
    const folders = fs.readdirSync(rig.home).filter(name => name.startsWith('backups'))
    const made = folders.flatMap(folder =>
      fs.readdirSync(path.join(rig.home, folder, 'backups')).map(name => [path.join(rig.home, folder), name] as const),
    )
    // Each is restored and audited in `npm run torture -- sweeps`, here as many as a sample, from the first to the last.
    const stride = areAllCasesWanted ? 1 : Math.max(1, Math.floor(made.length / 20))
    for (const [at, [each, name]] of made.entries()) {
      if (at % stride !== 0) continue
      const home = path.join(rig.home, 'restored')
      const restored = readDefaultConfig({ DISPATCH_HOME: home })
      await restore(restored, each, { mayMerge: false, at: name })
      if (fs.existsSync(path.join(home, 'workspace', id))) {
        const report = await auditSession(path.join(home, 'workspace', id))
        assert.ok(report.isSound, `${name}: ${JSON.stringify(report)}`)
        audited++
      }
      fs.rmSync(home, { recursive: true })
    }
    t.diagnostic(`${audited} backups of a running session`)
    assert.ok(audited > 10)
  }))

test('a session that ran when it was backed up is resumed in another home, with its conversation', () =>
  withRig(cutOffScenario, async rig => {
    await startWaiting(rig, '--no-repo')
    const { id } = rig.readSession()
    const folder = path.join(rig.home, 'backups')
    await expectExit(rig, 0, ['backup', folder])
    await expectExit(rig, 0, ['stop', '--all'])
    fs.rmSync(path.join(rig.home, 'dispatch'), { recursive: true })

    const home = path.join(rig.home, 'other')
    await expectExit(rig, 0, ['restore', folder, '--into', home])
    assert.match(await expectExit(rig, 0, ['ls'], home), /^interrupted/)
    await expectExit(rig, 0, ['audit', id], home)
    assert.equal(await expectExit(rig, 0, ['watchdog'], home), '', 'it is paused, so nothing goes on by itself')
    await expectExit(rig, 5, ['resume', id], home)
    await expectExit(rig, 0, ['resume', id, '--force'], home)
    await expectExit(rig, 0, ['wait', id], home)
    await expectExit(rig, 0, ['audit', id], home)
    const log = fs.readFileSync(path.join(home, 'workspace', id, 'events.jsonl'), 'utf8')
    assert.match(log, /"type":"orchestrator.resumed"(?!.*"isNewConversation":true)/)
    await expectExit(rig, 0, ['stop', '--all'], home)
  }))
