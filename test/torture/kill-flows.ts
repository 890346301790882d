import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
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
  /** How many points one run may have, each for another process: what was killed is tried again, and killed later. */
  pointsOfRun?: number
  settings?: Record<string, string>
  /** Once in a lab, before anything is killed. */
  open?(lab: Lab): Promise<void>
  /** Before each point; returns what the flow is about. */
  prepare?(lab: Lab, number: number): Promise<string>
  run(lab: Lab, subject: string): Promise<RunResult>
  finish(lab: Lab, subject: string, ran: RunResult): Promise<void>
}

const session = (ran: { stdout: string }): string => (JSON.parse(ran.stdout) as { id: string }).id
const startTask = (lab: Lab) => lab.dispatch([helloTask, '--json'])

/** It reaches PASS, is closed, and leaves nothing behind. */
async function finishSession(lab: Lab, id: string): Promise<void> {
  const waited = await lab.operate(['wait', id, '--json'])
  assert.equal(waited.exitCode, 0, `wait: ${waited.stdout.slice(0, 300)}${waited.stderr}\n${describe(lab, id)}`)
  await closeSession(lab, id)
  assert.equal((await listStates(lab)).get(id), 'PASS', 'lost: the verdict that was printed stands')
}

async function closeSession(lab: Lab, id: string): Promise<void> {
  const stopped = await lab.operate(['stop', id])
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
  const resumed = await lab.operate(['resume', id])
  assert.equal(resumed.exitCode, 0, `an interrupted start does not go on: ${resumed.stderr}`)
  followed++
  if (followed % 5 === 0) return finishSession(lab, id)
  await waitForEvent(lab, id, 'contract.sealed')
  await closeSession(lab, id)
}

let followed = 0
const MAX_SILENCE_MS = 180_000

async function waitForEvent(lab: Lab, id: string, type: string): Promise<void> {
  for (const isGoingOn = watchProgress(lab); ; await sleep(50)) {
    if (lab.rig.readEvents(id).some(event => event.type === type)) return
    assert.ok(isGoingOn(), `no ${type}:\n${describe(lab, id)}`)
  }
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
  pointsOfRun: 24,
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
  for (const isGoingOn = watchProgress(lab); !isOver(); await sleep(50)) {
    if (lab.takeKilled()) await lab.operate(['resume', id])
    assert.ok(isGoingOn(), `it does not go on:\n${describe(lab, id)}`)
  }
}

/** Has anything happened within the last minutes, in a log or to a process that is killed? */
function watchProgress(lab: Lab): () => boolean {
  const workspace = path.join(lab.rig.home, 'dispatch/workspace')
  const measure = () => {
    const logs = (fs.existsSync(workspace) ? fs.readdirSync(workspace) : []).map(id =>
      path.join(workspace, id, 'events.jsonl'),
    )
    return logs.reduce((sum, log) => sum + (fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0), lab.killed.length)
  }
  let [last, atMs] = [0, Date.now()]
  return () => {
    const now = measure()
    if (now !== last) [last, atMs] = [now, Date.now()]
    return Date.now() - atMs < MAX_SILENCE_MS
  }
}

/** A command that is killed again at each of the points, until it comes to its end. Whatever it left can be listed. */
async function repeatWhileKilled(
  lab: Lab,
  args: string[],
  recover: () => Promise<unknown> = () => listStates(lab),
): Promise<RunResult> {
  for (;;) {
    const ran = await lab.dispatch(args)
    if (lab.takeKilled() === undefined) return ran
    await recover()
  }
}

const stop: KillFlow = {
  name: 'stop',
  words: ['dispatch.js', 'stop'],
  pointsOfRun: 8,
  prepare: async lab => session(await startTask(lab)),
  run: (lab, id) => repeatWhileKilled(lab, ['stop', id]),
  finish: closeSession,
}

const resume: KillFlow = {
  name: 'resume',
  words: ['dispatch.js', 'resume'],
  pointsOfRun: 8,
  async prepare(lab) {
    const id = session(await startTask(lab))
    await closeSession(lab, id)
    return id
  },
  run: (lab, id) => repeatWhileKilled(lab, ['resume', id], () => closeSession(lab, id)),
  finish: goOn,
}

/** Nothing starts: what is tested is the queue. */
const later: KillFlow = {
  name: 'later',
  words: ['dispatch.js', 'later'],
  open: async lab => assert.equal((await lab.operate(['pause'])).exitCode, 0),
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
    const again = await lab.operate(['later', `${helloTask} ${subject}`, '--json'])
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
  notBefore: string | null
}

async function findItem(lab: Lab, id: string): Promise<ListedItem> {
  return (await listItems(lab)).find(item => item.id === id) ?? assert.fail(`lost: the item ${id}`)
}

async function listItems(lab: Lab): Promise<ListedItem[]> {
  const ran = await lab.operate(['queue', '--all', '--json'])
  assert.equal(ran.exitCode, 0, `queue: ${ran.stderr}`)
  return (JSON.parse(ran.stdout) as { items: ListedItem[] }).items
}

/** From a queue to a verdict; what starts it is killed, and tried again. */
const queued = (name: string, words: string[]): KillFlow => ({
  name,
  words,
  pointsOfRun: 8,
  async prepare(lab) {
    await endDaemon(lab)
    return listIds(lab)
  },
  async run(lab) {
    const ran = await lab.dispatch(['later', helloTask, '--json'])
    const item = session(ran)
    for (const isGoingOn = watchProgress(lab); ; await sleep(100)) {
      const { state, notBefore } = await findItem(lab, item)
      if (state === 'done' || state === 'needs you') break
      lab.takeKilled()
      if (!isGoingOn()) assert.fail(`the item is ${state}\n${(await findFresh(lab, '')).map(id => describe(lab, id))}`)
      // A start that was killed is tried again after a rest.
      if (state === 'waiting' && notBefore !== null && Date.parse(notBefore) > Date.now()) await passTime(lab)
      if (findDaemons(lab).length === 0) void lab.dispatch(['daemon']) // A runner may be faster: exit 5.
    }
    return ran
  },
  async finish(lab, before, ran) {
    const fresh = await findFresh(lab, before)
    const told = await lab.operate(['queue', 'show', session(ran)])
    const report = `${told.stdout}\n${fresh.map(id => describe(lab, id)).join('\n--\n')}`
    assert.equal((await findItem(lab, session(ran))).state, 'done', `lost: the item\n${report}`)
    assert.equal(fresh.length, 1, `twice: ${report}`)
    await finishSession(lab, fresh[0] ?? '')
    await endDaemon(lab)
  },
})

/** As if two hours went by, in which no daemon ran: longer than the queue rests after starts that failed. */
async function passTime(lab: Lab): Promise<void> {
  await endDaemon(lab)
  const database = new DatabaseSync(path.join(lab.rig.home, 'dispatch/queue.db'))
  database.exec(`UPDATE starts SET at = at - 7200000; UPDATE items SET not_before = 0 WHERE state = 'waiting'`)
  database.close()
}

/** As with the end of a login: it has no time to say anything. */
async function endDaemon(lab: Lab): Promise<void> {
  for (const { pid } of findDaemons(lab)) process.kill(pid, 'SIGTERM')
  await lab.rig.waitUntil('the daemon ends', () => findDaemons(lab).length === 0)
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
    const again = await lab.operate(['apply', '--branch', branch, '--json', ...options])
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
    const again = await lab.operate(['rm', id, '--force'])
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
  queued('start from the queue', ['dispatch.js', '-', '--json']),
  stop,
  resume,
  later,
  apply('apply'),
  apply('apply --squash', '--squash', '--no-hooks'),
  rm,
]
