/** Sessions that land in the background: by the daemon, in their order, again after a conflict, and by themselves. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { addAutomatic } from '#cli/landing/automatic.ts'
import { readDefaultConfig } from '#host/config'
import { helloTask } from '#rehearsal/hello.ts'
import { listPendingMessages } from '#runner/messages/store.ts'
import type { Session } from '#session'
import { type LandingMachine, prepareLandingMachine } from '../fixtures/landing-remote.ts'
import { helloScenario, openRig, queueSettings, type Rig } from '../fixtures/rig.ts'
import { createTwin } from '../fixtures/session-twin.ts'

interface Listed {
  session: string
  state: string
  outcome: string | null
  reason: string
  retryItem: string | null
}

describe('the landing queue', () => {
  let rig: Rig
  let machine: LandingMachine

  const dispatch = async (...args: string[]): Promise<string> => {
    const ran = await rig.dispatch(args)
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    return ran.stdout
  }
  const readLanded = ({ id }: Session) => rig.readStatus(id).landed.map(({ branch }) => branch)
  const list = async (): Promise<Listed[]> =>
    JSON.parse(await dispatch('land', 'ls', '--all', '--json')).queues.flatMap(
      ({ entries }: { entries: Listed[] }) => entries,
    )
  const find = async ({ id }: Session): Promise<Listed> => {
    const entry = (await list()).find(({ session }) => session === id)
    assert.ok(entry, `${id} is not in the queue`)
    return entry
  }
  const readRetryOf = (id: string) => rig.readSession(id).manifest.retryOf?.session
  /** Wait until the entry of a session has ended, by its file. */
  const waitForEnd = ({ id }: Session) => {
    const folder = path.join(rig.home, 'dispatch/landing')
    return rig.waitUntil(`${id} has ended`, () => fs.globSync(`*/ended/${id}.json`, { cwd: folder }).length > 0)
  }

  before(async () => {
    rig = await openRig(helloScenario, queueSettings)
    machine = await prepareLandingMachine(rig)
  })
  after(() => rig.close())

  it('lands in the background what a person puts in', async () => {
    const session = createTwin(machine.original, 'aaaa')
    await machine.pushFiles('one', { other: 'x\n' })
    const answer = await dispatch('land', session.id, '--into', 'one', '--queue', '--json')
    assert.partialDeepStrictEqual(JSON.parse(answer), { id: session.id, state: 'waiting', exitCode: 0 })
    await waitForEnd(session)
    assert.deepEqual(readLanded(session), ['one'])
    assert.equal((await find(session)).outcome, 'landed')
    assert.match(await machine.readRemote('one', '%B'), new RegExp(`Dispatch-Session: ${session.id}`))
  })

  it('makes a new attempt on the newest state where the work does not merge, and lands that', async () => {
    const session = createTwin(machine.original, 'bbbb')
    await machine.pushFiles('two', { 'hello.sh': 'echo something else\n' })
    const tip = await machine.readRemote('two')
    const earlier = fs.globSync('*/ended/*', { cwd: path.join(rig.home, 'dispatch/landing') })
    await dispatch('land', session.id, '--into', 'two', '--queue')
    const folder = path.join(rig.home, 'dispatch/landing')
    const isOther = (name: string) => !name.endsWith(`${session.id}.json`) && !earlier.includes(name)
    await rig.waitUntil('the new attempt has ended', () => fs.globSync('*/ended/*', { cwd: folder }).some(isOther))
    const attempt = rig.readSession()
    assert.equal(attempt.manifest.retryOf?.session, session.id)
    assert.match(attempt.manifest.retryOf?.outcome ?? '', /did not land on branch two: .*hello\.sh/)
    assert.equal(attempt.manifest.repository?.commit, tip, 'it begins where the branch was')
    assert.deepEqual(readLanded(attempt), ['two'])
    assert.equal(await machine.readRemote('two', '%P'), tip)
    assert.deepEqual(readLanded(session), [])
    assert.equal((await find(session)).outcome, 'replaced')
  })

  it('tells a session that works on the same files, once', async () => {
    const session = createTwin(machine.original, 'cada')
    const sibling = createTwin(machine.original, 'cafe', {}, { isAsking: true })
    await machine.pushFiles('twelve', { other: 'x\n' })
    const landed = JSON.parse(await dispatch('land', session.id, '--into', 'twelve', '--json'))
    assert.ok(landed.stale.includes(sibling.id), landed.stale)
    assert.deepEqual(listPendingMessages(machine.original.paths), [], 'it has its verdict')
    const told = listPendingMessages(sibling.paths)
    assert.deepEqual(
      told.map(message => message.kind === 'overlap' && [message.session, message.branch, message.files]),
      [[session.id, 'twelve', ['hello.sh']]],
    )
    fs.rmSync(sibling.paths.folder, { recursive: true })
  })

  it('waits while it is paused, and for what is to land before', async () => {
    const [first, second] = [createTwin(machine.original, 'cccc'), createTwin(machine.original, 'dddd')]
    await machine.pushFiles('three', { other: 'x\n' })
    await machine.pushFiles('four', { other: 'x\n' })
    await dispatch('land', 'pause', '--repo', machine.folder)
    const refused = await rig.dispatch(['land', first.id, '--into', 'three', '--json'])
    assert.equal(refused.exitCode, 5, refused.stdout + refused.stderr)
    await dispatch('land', second.id, '--into', 'four', '--queue', '--after', first.id)
    const queued = JSON.parse(await dispatch('land', first.id, '--into', 'three', '--queue', '--json'))
    assert.partialDeepStrictEqual(queued, { state: 'waiting', exitCode: 0, next: '' })
    assert.deepEqual([(await find(first)).state, (await find(second)).state], ['waiting', 'waiting'])
    await dispatch('pause')
    const unpause = async () => JSON.parse(await dispatch('land', 'unpause', '--repo', machine.folder, '--json'))
    assert.partialDeepStrictEqual(await unpause(), { wasPaused: true, isPaused: true })
    await dispatch('unpause')
    assert.partialDeepStrictEqual(await unpause(), { wasPaused: false, isPaused: false })
    await waitForEnd(second)
    const landedAt = [first, second].map(({ id }) => rig.readStatus(id).landed[0]?.time ?? '')
    assert.ok(landedAt[0] && landedAt[1] && landedAt[0] < landedAt[1], landedAt.join())
  })

  it('proves nothing where a push would not get through', async () => {
    const session = createTwin(machine.original, 'acac')
    await machine.pushFiles('nine', { other: 'x\n' })
    await machine.git(machine.folder, 'config', 'remote.origin.pushurl', '../nowhere.git')
    await dispatch('land', session.id, '--into', 'nine', '--queue')
    const folder = path.join(rig.home, 'dispatch/landing')
    const readWaiting = () => {
      const [file] = fs.globSync(`*/waiting/${session.id}.json`, { cwd: folder })
      return file && fs.readFileSync(path.join(folder, file), 'utf8')
    }
    await rig.waitUntil('it was tried', () => /"refusals": 1/.test(readWaiting() ?? ''))
    assert.match((await find(session)).reason, /cannot be pushed to: .*nowhere/)
    assert.equal(rig.readStatus(session.id).landing, undefined, 'nothing was proved')

    // A person who looks at it has it tried at once, and takes nothing away from the background.
    const look = () => rig.dispatch(['land', session.id, '--into', 'nine', '--json'])
    const seen = await look()
    assert.equal(seen.exitCode, 5, seen.stdout + seen.stderr)
    assert.match(JSON.parse(seen.stdout).reason, /goes on waiting: .*cannot be pushed to/)
    assert.match(readWaiting() ?? '', /"attendedBy": null,\s+"sendsBack": true,[\s\S]*"refusals": 2/)
    await machine.git(machine.folder, 'config', '--unset', 'remote.origin.pushurl')
    const landed = await look()
    assert.equal(landed.exitCode, 0, landed.stdout + landed.stderr)
    assert.deepEqual(readLanded(session), ['nine'])
  })

  it('needs its person where a commit cannot be signed without asking', async () => {
    const session = createTwin(machine.original, 'adad')
    await machine.pushFiles('ten', { other: 'x\n' })
    const settings = { 'commit.gpgSign': 'true', 'gpg.program': 'false' }
    for (const [name, value] of Object.entries(settings)) await machine.git(machine.folder, 'config', name, value)
    await dispatch('land', session.id, '--into', 'ten', '--queue')
    await waitForEnd(session)
    for (const name of Object.keys(settings)) await machine.git(machine.folder, 'config', '--unset', name)
    const { outcome, reason } = await find(session)
    assert.equal(outcome, 'needs you')
    assert.match(reason, /could not sign the commit/)

    const retryOf = { session: session.id, outcome: '', findings: [], context: '' }
    const again = createTwin(machine.original, 'aeae', { retryOf })
    await dispatch('land', again.id, '--into', 'ten')
    assert.equal((await find(session)).outcome, 'replaced', 'a person had it done again')
  })

  it('drops what a person takes out', async () => {
    const session = createTwin(machine.original, 'eeee')
    await dispatch('land', 'pause', '--repo', machine.folder)
    await dispatch('land', session.id, '--into', 'one', '--queue')
    await dispatch('land', 'drop', session.id)
    await dispatch('land', 'unpause', '--repo', machine.folder)
    assert.equal((await find(session)).outcome, 'dropped')
    assert.equal((await rig.dispatch(['land', 'drop', session.id])).exitCode, 4)
    assert.deepEqual(readLanded(session), [])
  })

  it('goes on with what a command that was killed was landing', async () => {
    const session = createTwin(machine.original, 'ffff')
    await machine.pushFiles('five', { other: 'x\n' })
    const hook = path.join(machine.remote, 'hooks/pre-receive')
    const mark = path.join(rig.home, 'killed')
    // The hook is a descendant of the process that pushes.
    const script = [
      `[ -e ${mark} ] && exit 0`,
      `touch ${mark}`,
      'p=$PPID',
      'while [ "$p" -gt 1 ] && ! tr "\\0" " " < "/proc/$p/cmdline" | grep -q " land "; do',
      '  p=$(sed "s/.*) . //; s/ .*//" "/proc/$p/stat")',
      'done',
      'kill -9 "$p"',
      'exit 1',
    ]
    fs.writeFileSync(hook, `#!/bin/sh\n${script.join('\n')}\n`, { mode: 0o755 })
    const killed = await rig.dispatch(['land', session.id, '--into', 'five', '--json'])
    assert.equal(killed.signal, 'SIGKILL', killed.stdout + killed.stderr)
    await waitForEnd(session)
    fs.rmSync(hook)
    assert.deepEqual(readLanded(session), ['five'])
  })

  it('lands by itself where the project says so', async () => {
    await dispatch('projects', 'add', machine.folder, '--name', 'mine')
    await dispatch('projects', 'set', 'mine', '--land', 'squash', '--land-as', 'both', '--gate', 'test -e hello.sh')
    await dispatch(helloTask, '--repo', machine.folder, '--wait')
    const session = rig.readSession()
    await waitForEnd(session)
    assert.deepEqual(readLanded(session), ['main'])
    assert.match(await machine.readRemote('main', '%an %B'), /^Ada [\s\S]*\nCo-authored-by: /)
    await machine.git(machine.folder, 'switch', '--quiet', '--create', 'feature')
    await dispatch(helloTask, '--repo', machine.folder, '--wait')
    await machine.git(machine.folder, 'switch', '--quiet', '-')
    const other = rig.readSession()
    await waitForEnd(other)
    assert.equal((await find(other)).outcome, 'not landed', 'what is for another branch is left to its person')
    assert.match((await find(other)).reason, /it is for feature, and its project lands on /)
    const untouched = (await list()).filter(({ session: id }) => id === machine.original.id)
    assert.deepEqual(untouched, [], 'what began before it was said does not land by itself')
  })

  it('lands a new attempt once by itself, and no attempt of what the branch has already', async () => {
    await machine.pushFiles('main', { 'hello.sh': 'echo something else\n' })
    await dispatch(helloTask, '--repo', machine.folder, '--wait')
    const session = rig.readSession()
    await waitForEnd(session)
    assert.equal((await find(session)).outcome, 'replaced')
    const entries = await list()
    const attempt = entries.find(({ session: id, outcome }) => outcome !== 'replaced' && readRetryOf(id) === session.id)
    assert.ok(attempt)
    const id = attempt.session
    await rig.waitUntil('the new attempt has landed', () => rig.readStatus(id).landed.length > 0)
    await waitForEnd(rig.readSession(id))
    const before = (await list()).map(({ session: name, state }) => `${name} ${state}`)
    await addAutomatic(readDefaultConfig(rig.environment), undefined, () => undefined)
    assert.deepEqual(
      (await list()).map(({ session: name, state }) => `${name} ${state}`),
      before,
    )
    await dispatch('projects', 'set', 'mine', '--land', 'off')

    const [again, behind] = [createTwin(machine.original, 'abab'), createTwin(machine.original, 'baab')]
    await machine.pushFiles('eleven', { other: 'x\n' })
    await dispatch('land', 'pause', '--repo', machine.folder)
    await dispatch('land', again.id, '--into', 'three', '--queue')
    await dispatch('land', behind.id, '--into', 'eleven', '--queue', '--after', again.id)
    await dispatch('land', 'unpause', '--repo', machine.folder)
    await waitForEnd(behind)
    assert.deepEqual(readLanded(behind), ['eleven'], 'what it waits for is there')
    assert.match((await find(again)).reason, /has all of this work already/)
    assert.equal((await find(again)).outcome, 'not landed')
  })

  it('tells a person what cannot land any more, and holds up nothing else', async () => {
    const [first, second, third] = ['baba', 'caca', 'dada'].map(letters => createTwin(machine.original, letters))
    assert.ok(first && second && third)
    for (const branch of ['six', 'seven', 'eight']) await machine.pushFiles(branch, { other: 'x\n' })
    await dispatch('land', 'pause', '--repo', machine.folder)
    for (const [session, branch, ...options] of [
      [first, 'six'],
      [second, 'seven', '--after', first.id],
      [third, 'eight'],
    ] as const)
      await dispatch('land', session.id, '--into', branch, '--queue', ...options)
    const circle = await rig.dispatch(['land', first.id, '--into', 'six', '--queue', '--after', second.id])
    assert.equal(circle.exitCode, 5, circle.stdout + circle.stderr)
    const other = await rig.dispatch(['land', first.id, '--into', 'seven', '--queue'])
    assert.equal(other.exitCode, 5, 'it waits in one way at a time')
    fs.rmSync(first.paths.folder, { recursive: true })
    await dispatch('land', 'unpause', '--repo', machine.folder)
    for (const session of [first, second, third]) await waitForEnd(session)
    assert.deepEqual(readLanded(third), ['eight'])
    assert.deepEqual([(await find(first)).outcome, (await find(second)).outcome], ['needs you', 'needs you'])
  })
})
