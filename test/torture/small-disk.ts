/**
 * A home on a disk of its own, which is full for a while, or takes no writes. Commands say so (exit 10, with a path), a session that works
 * waits, and goes on by itself when it is over: nothing that was recorded before is lost.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { helloTask, honestWorkerTurns } from '#rehearsal/hello.ts'
import { auditSession } from '#session/audit'
import { helloScenario, openRig, type Rig, waitForGoOn } from '../fixtures/rig.ts'
import { mountDisk, type SmallDisk } from '../fixtures/small-disk.ts'

/** A session wants one gigabyte to be free. */
const DISK_BYTES = 1.5 * 2 ** 30
const scenario = { ...helloScenario, workers: { '*': [waitForGoOn, ...honestWorkerTurns] } }

const faults: [title: string, begin: (disk: SmallDisk) => Promise<void>, end: (disk: SmallDisk) => Promise<void>][] = [
  ['a disk that is full for a while', disk => disk.fill(), disk => disk.free()],
  [
    'a disk that takes no writes for a while',
    async disk => disk.setReadOnly(true),
    async disk => disk.setReadOnly(false),
  ],
]

for (const [title, begin, end] of faults)
  test(title, async t => {
    const rig = await openRig(scenario, { RIG_CLAUDE: 'scripted', WEBUI_PORT: '0' })
    const home = path.join(rig.home, 'dispatch')
    const disk = mountDisk(home, DISK_BYTES)
    try {
      if (disk === undefined) return t.skip('this user may not mount a disk')
      const started = await rig.dispatch([helloTask])
      assert.equal(started.exitCode, 0, started.stderr)
      const { id, paths } = rig.readSession()
      const waiting = path.join(paths.outputs, 'waiting')
      await rig.waitUntil('the worker waits', () => fs.existsSync(waiting))
      const before = fs.readFileSync(paths.events, 'utf8')
      await begin(disk)
      await requireRefusals(rig, id, home)
      assert.ok(fs.readFileSync(paths.events, 'utf8').startsWith(before), 'the record is as it was')
      const listed = await rig.dispatch(['ls', '--json'])
      assert.equal(listed.exitCode, 0, listed.stdout + listed.stderr)
      await end(disk)
      fs.writeFileSync(path.join(paths.outputs, 'go-on'), '')
      await rig.waitUntil('the verdict', () => rig.readStatus(id).verdict?.isFinal)
      assert.equal(rig.readStatus(id).verdict?.verdict, 'PASS')
      assert.ok(fs.readFileSync(paths.events, 'utf8').startsWith(before))
      assert.equal((await rig.dispatch(['stop', id])).exitCode, 0)
      const { problems, isSound } = await auditSession(paths.folder)
      assert.ok(isSound, JSON.stringify(problems))
      const again = await rig.dispatch(['later', 'another task', '--no-repo'])
      assert.equal(again.exitCode, 0, again.stderr)
    } finally {
      await rig.dispatch(['stop', '--all'])
      disk?.unmount()
      await rig.close()
    }
  })

/** Whatever needs to write says so, and names a place on that disk. */
async function requireRefusals(rig: Rig, id: string, home: string): Promise<void> {
  for (const args of [
    ['another task', '--no-repo'],
    ['later', 'another task', '--no-repo'],
    ['pause'],
    ['say', id, 'hello'],
  ]) {
    const ran = await rig.dispatch(args)
    assert.equal(ran.exitCode, 10, `${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
    assert.ok(ran.stderr.includes(home), `${args.join(' ')}: ${ran.stderr}`)
  }
}
