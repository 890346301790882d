import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type RunResult, runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { readVerdictRecord } from '#session/evidence'
import { copySession } from '../fixtures/session-copies.ts'
import { type Lab, listStates, requireNoProcesses, requireSoundRecord } from './kill-lab.ts'

/**
 * One thing that people do, of which one program is killed at a call. `finish` goes on as they or the daemon would, and throws
 * where the state is illegal or something that was acknowledged is lost.
 */
export interface KillFlow {
  name: string
  /** The first words of the program that is killed. */
  words: string[]
  /** A lab for each run: after a start that failed, the queue of its home rests for five minutes. */
  isLabUsedUp?: true
  /** How many points one run may have, each for another process. */
  pointsOfRun?: number
  settings?: Record<string, string>
  /** Once in a lab, before anything is killed. */
  open?(lab: Lab): Promise<void>
  /** Before each point; returns what the flow is about. */
  prepare?(lab: Lab, number: number): Promise<string>
  run(lab: Lab, subject: string): Promise<RunResult>
  finish(lab: Lab, subject: string, ran: RunResult): Promise<void>
}

const session = (ran: RunResult): string => (JSON.parse(ran.stdout) as { id: string }).id
const startTask = (lab: Lab) => lab.dispatch([helloTask, '--json'])

/** It reaches PASS, is closed, and leaves nothing behind. */
async function finishSession(lab: Lab, id: string): Promise<void> {
  const waited = await lab.dispatch(['wait', id, '--json'])
  assert.equal(waited.exitCode, 0, `wait: ${waited.stdout.slice(0, 300)}${waited.stderr}\n${describe(lab, id)}`)
  await closeSession(lab, id)
  assert.equal((await listStates(lab)).get(id), 'PASS', 'lost: the verdict that was printed stands')
}

async function closeSession(lab: Lab, id: string): Promise<void> {
  const stopped = await lab.dispatch(['stop', id])
  assert.equal(stopped.exitCode, 0, `stop: ${stopped.stderr}`)
  const closings = lab.rig.readEvents(id).filter(({ type }) => type === 'session.closed' || type === 'start.failed')
  assert.ok(closings.length >= 1, 'it is closed')
  await requireSoundRecord(lab.rig, id)
  await requireNoProcesses(lab, id)
}

function describe(lab: Lab, id: string): string {
  return lab.rig
    .readEvents(id)
    .map(event => JSON.stringify({ ...event, prev: undefined }).slice(0, 200))
    .join('\n')
}

/** What an interrupted start has left goes on when a person says so. Every fifth is followed to its verdict. */
async function goOn(lab: Lab, id: string): Promise<void> {
  const resumed = await lab.dispatch(['resume', id])
  assert.equal(resumed.exitCode, 0, `an interrupted start does not go on: ${resumed.stderr}`)
  followed++
  if (followed % 5 === 0) return finishSession(lab, id)
  await waitForEvent(lab, id, 'contract.sealed')
  await closeSession(lab, id)
}

let followed = 0

async function waitForEvent(lab: Lab, id: string, type: string): Promise<void> {
  const isThere = () => lab.rig.readEvents(id).some(event => event.type === type)
  await lab.rig.waitUntil(type, isThere, 40).catch(() => assert.fail(`no ${type}:\n${describe(lab, id)}`))
}

const listIds = async (lab: Lab) => [...(await listStates(lab)).keys()].join(' ')

const findFresh = async (lab: Lab, before: string) =>
  [...(await listStates(lab)).keys()].filter(id => !before.split(' ').includes(id))

const start: KillFlow = {
  name: 'start',
  words: ['dispatch.js', helloTask],
  prepare: listIds,
  run: startTask,
  async finish(lab, before, ran) {
    const fresh = await findFresh(lab, before)
    assert.ok(fresh.length <= 1, `twice: ${fresh.join(' ')}`)
    if (ran.exitCode === 0) assert.deepEqual(fresh, [session(ran)], 'lost: the session that was printed')
    const [id] = fresh
    if (id !== undefined) await goOn(lab, id) // Otherwise the next start shows that nothing is in its way.
  },
}

/** One session, whose runner is killed again each time that a new one reaches one of the points. */
const runner: KillFlow = {
  name: 'runner',
  words: ['runner.js'],
  pointsOfRun: 8,
  prepare: listIds,
  async run(lab, before) {
    let [id] = ['']
    const starting = startTask(lab)
    const isOver = () => lab.rig.readEvents(id).some(event => event.type === 'verdict.given' && event.isFinal)
    await lab.rig.waitUntil('there is a session', async () => {
      id = (await findFresh(lab, before))[0] ?? ''
      return id !== ''
    })
    await goOnAfterKills(lab, id, isOver)
    const started = await starting
    if (started.exitCode !== 0) return started
    const stopping = lab.dispatch(['stop', id])
    await goOnAfterKills(lab, id, () => lab.rig.readEvents(id).some(({ type }) => type === 'session.closed'))
    await stopping
    return started
  },
  async finish(lab, _, ran) {
    assert.equal(ran.exitCode, 0, `${ran.stdout.slice(0, 1000)}${ran.stderr}`)
    await finishSession(lab, session(ran))
  },
}

/** Until `isOver`: each runner that is killed gets a successor, and the rest of the points. */
async function goOnAfterKills(lab: Lab, id: string, isOver: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 100_000; !isOver(); ) {
    assert.ok(Date.now() < endMs, `it does not go on:\n${describe(lab, id)}`)
    if (lab.takeKilled()) await lab.dispatch(['resume', id])
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

const stop: KillFlow = {
  name: 'stop',
  words: ['dispatch.js', 'stop'],
  prepare: async lab => session(await startTask(lab)),
  run: (lab, id) => lab.dispatch(['stop', id]),
  finish: closeSession,
}

const resume: KillFlow = {
  name: 'resume',
  words: ['dispatch.js', 'resume'],
  async prepare(lab) {
    const id = session(await startTask(lab))
    assert.equal((await lab.dispatch(['stop', id])).exitCode, 0)
    return id
  },
  run: (lab, id) => lab.dispatch(['resume', id]),
  finish: goOn,
}

/** Nothing starts: what is tested is the queue. */
const later: KillFlow = {
  name: 'later',
  words: ['dispatch.js', 'later'],
  open: async lab => assert.equal((await lab.dispatch(['pause'])).exitCode, 0),
  prepare: async (lab, number) => `${(await listItems(lab)).length} ${number}`,
  run: (lab, subject) => lab.dispatch(['later', `${helloTask} ${subject}`, '--json']),
  async finish(lab, subject, ran) {
    const countBefore = Number(subject.split(' ')[0])
    const find = async () => (await listItems(lab)).filter(({ title }) => title.endsWith(` ${subject}`))
    if (ran.exitCode === 0)
      assert.deepEqual(
        (await find()).map(({ id }) => id),
        [session(ran)],
        'lost: the item',
      )
    assert.ok((await find()).length <= 1, 'twice')
    const again = await lab.dispatch(['later', `${helloTask} ${subject}`, '--json'])
    assert.equal(again.exitCode, 0, again.stderr)
    assert.ok(
      (await find()).some(({ id }) => id === session(again)),
      'lost: the second item',
    )
    assert.ok((await listItems(lab)).length > countBefore)
  },
}

interface ListedItem {
  id: string
  title: string
  state: string
}

async function listItems(lab: Lab): Promise<ListedItem[]> {
  const ran = await lab.dispatch(['queue', '--all', '--json'])
  assert.equal(ran.exitCode, 0, `queue: ${ran.stderr}`)
  return (JSON.parse(ran.stdout) as { items: ListedItem[] }).items
}

/** From a queue to a verdict; what starts it is killed. */
const queued = (name: string, words: string[], more: Partial<KillFlow> = {}): KillFlow => ({
  name,
  words,
  ...more,
  async prepare(lab) {
    await endDaemon(lab)
    return listIds(lab)
  },
  async run(lab) {
    const ran = await lab.dispatch(['later', helloTask, '--json'])
    await lab.waitForProgram()
    return ran
  },
  async finish(lab, before, ran) {
    assert.equal(ran.exitCode, 0, ran.stderr)
    const item = session(ran)
    const daemons: Promise<unknown>[] = []
    const findState = async () => (await listItems(lab)).find(({ id }) => id === item)
    const isPaused = async () => /not before/.test((await lab.dispatch(['queue', 'show', item])).stdout)
    for (const endMs = Date.now() + 90_000; Date.now() < endMs; ) {
      const state = (await findState())?.state
      if (state === 'done' || state === 'needs you' || (await isPaused())) break
      if (findDaemons(lab).length === 0) daemons.push(lab.dispatch(['daemon'])) // A runner may be faster: exit 5.
      await new Promise(resolve => setTimeout(resolve, 1000))
    }
    const fresh = await findFresh(lab, before)
    const told = await lab.dispatch(['queue', 'show', item])
    const report = `${told.stdout}\n${fresh.map(id => describe(lab, id)).join('\n--\n')}`
    // A start that was killed is tried again after a pause. Then there is no session of it.
    if ((await findState())?.state === 'waiting' && /not before/.test(told.stdout)) {
      assert.deepEqual(fresh, [], `twice: ${report}`)
      assert.equal((await lab.dispatch(['queue', 'rm', item])).exitCode, 0)
      await endDaemon(lab)
      await Promise.all(daemons)
      return
    }
    assert.equal((await findState())?.state, 'done', `lost: the item\n${report}`)
    assert.equal(fresh.length, 1, `twice: ${report}`)
    await finishSession(lab, fresh[0] ?? '')
    await endDaemon(lab)
    await Promise.all(daemons)
  },
})

/** As with the end of a login: it has no time to say anything. */
async function endDaemon(lab: Lab): Promise<void> {
  for (const { pid } of findDaemons(lab)) process.kill(pid, 'SIGTERM')
  await lab.rig.waitUntil('the daemon ends', () => findDaemons(lab).length === 0, 30)
}

const findDaemons = (lab: Lab) => lab.rig.listProcesses().filter(({ command }) => / daemon$/.test(command))

const git = (cwd: string, ...args: string[]) => runProgram('git', args, { cwd })

const apply = (name: string, ...options: string[]): KillFlow => ({
  name,
  words: ['dispatch.js', 'apply'],
  async open(lab) {
    await git(lab.repository, 'config', 'user.name', 'u')
    await git(lab.repository, 'config', 'user.email', 'u@localhost')
    await finishSession(lab, session(await startTask(lab)))
  },
  prepare: async (_, number) => `work-${number}`,
  run: (lab, branch) => lab.dispatch(['apply', '--branch', branch, '--json', ...options]),
  async finish(lab, branch, ran) {
    const verdict = readVerdictRecord(lab.rig.readSession().paths)
    const readTree = async () => (await git(lab.repository, 'rev-parse', `${branch}^{tree}`)).stdout.trim()
    if (ran.exitCode === 0) assert.equal(await readTree(), verdict?.tree, 'lost: the branch')
    const again = await lab.dispatch(['apply', '--branch', branch, '--json', ...options])
    assert.equal(again.exitCode, 0, `apply again: ${again.stderr}`)
    assert.equal(await readTree(), verdict?.tree)
    const checked = await git(lab.repository, 'fsck', '--strict')
    assert.equal(checked.exitCode, 0, checked.stderr)
    assert.equal((await git(lab.repository, 'status', '--porcelain')).stdout, '')
    const locks = fs.readdirSync(path.join(lab.repository, '.git'), { recursive: true }).map(String)
    assert.deepEqual(
      locks.filter(file => file.endsWith('.lock')),
      [],
    )
  },
})

const rm: KillFlow = {
  name: 'rm',
  words: ['dispatch.js', 'rm'],
  open: async lab => finishSession(lab, session(await startTask(lab))),
  async prepare(lab, number) {
    const letters = `z${String(number % 1000).padStart(3, '0')}`
    copySession(lab.rig, original(lab), letters)
    return path.basename(lab.rig.readSession(letters).paths.folder)
  },
  run: (lab, id) => lab.dispatch(['rm', id, '--force']),
  async finish(lab, id, ran) {
    if (ran.exitCode === 0) assert.ok(!(await listStates(lab)).has(id), 'lost: it is removed')
    else if ((await listStates(lab)).has(id)) await requireSoundRecord(lab.rig, id)
    const again = await lab.dispatch(['rm', id, '--force'])
    assert.ok([0, 4].includes(again.exitCode ?? -1), `rm again: exit ${again.exitCode} ${again.stderr}`)
    assert.ok(!(await listStates(lab)).has(id))
    assert.ok(!fs.existsSync(path.join(lab.rig.home, 'dispatch/workspace', id)), 'its folder is left')
    await requireSoundRecord(lab.rig, original(lab))
  },
}

function original(lab: Lab): string {
  const found = fs.readdirSync(path.join(lab.rig.home, 'dispatch/workspace')).find(id => !/z\d{3}$/.test(id))
  return found ?? assert.fail('the session is there')
}

/** In the order of how much they are worth, when the time is short. */
export const killFlows: KillFlow[] = [
  runner,
  start,
  queued('daemon', ['dispatch.js', 'daemon']),
  queued('start from the queue', ['dispatch.js', '-', '--json'], { isLabUsedUp: true }),
  stop,
  resume,
  later,
  apply('apply'),
  apply('apply --squash', '--squash', '--no-hooks'),
  rm,
]
