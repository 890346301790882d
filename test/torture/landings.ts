/**
 * Many sessions that land on one branch at the same time, from three checkouts that reach it by file, HTTP and SSH: the branch moves under
 * them, a hook of the remote refuses at random, and the processes are killed. LANDINGS says how many, LANDING_KILLS how many kills, SEED
 * seeds the moments.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runProgram } from '#host/exec.ts'
import type { Session } from '#session'
import { auditSession } from '#session/audit'
import { readLanding } from '#session/evidence'
import { startHttpServer, startSshServer } from '../fixtures/git-servers.ts'
import { type LandingMachine, prepareLandingMachine } from '../fixtures/landing-remote.ts'
import { findProcesses, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { createRandom } from '../fixtures/scratch.ts'
import { createTwin } from '../fixtures/session-twin.ts'
import { whyNoProgram } from '../fixtures/skip-reasons.ts'

const landingCount = Number(process.env['LANDINGS'] ?? 4)
const killCount = Number(process.env['LANDING_KILLS'] ?? 1)
const random = createRandom(Number(process.env['SEED'] ?? 1))
const LANDER_COUNT = 8
const MAX_KILL_DELAY_MS = 3000
const MAX_MOVES_OF_LANDING = 2

test('each session lands once, as a tree that was proved, on a branch that moves', t =>
  withRig(helloScenario, async rig => {
    const machine = await prepareLandingMachine(rig)
    const { original, remote, git } = machine
    refuseAtRandom(remote)
    const checkouts = await cloneByTransports(t, rig, machine)
    const sessions = Array.from({ length: landingCount }, (_, index) =>
      createTwin(original, index.toString(16).padStart(4, '0')),
    )
    const outcomes = new Map<string, number>()
    const count = (what: string) => outcomes.set(what, (outcomes.get(what) ?? 0) + 1)
    const waiting = [...sessions]
    const startedMs = performance.now()
    let isOver = false
    const landers = Array.from({ length: Math.min(LANDER_COUNT, landingCount) }, async () => {
      for (let session = waiting.shift(); session !== undefined; session = waiting.shift())
        await landUntilDone(rig, session, checkouts[waiting.length % checkouts.length] ?? '', count)
    })
    const moving = moveBranch(rig, git, remote, () => isOver)
    const killing = killLanders(rig, () => isOver, count)
    await Promise.all(landers)
    isOver = true
    await Promise.all([moving, killing])
    const seconds = (performance.now() - startedMs) / 1000
    await verifyBranch(git, remote, sessions)
    const told = [...outcomes].map(([what, times]) => `${what} ${times}`).join(', ')
    t.diagnostic(`${landingCount} landings in ${seconds.toFixed(0)} s; ${told}`)
  }))

type Git = LandingMachine['git']

function refuseAtRandom(remote: string): void {
  const hook = '#!/bin/sh\ntest "$(od -An -N1 -tu1 /dev/urandom)" -gt 25 || { echo "not now" >&2; exit 1; }\n'
  fs.writeFileSync(path.join(remote, 'hooks/pre-receive'), hook, { mode: 0o755 })
}

/** The checkout itself, whose remote is a folder, and copies of it that reach the same remote by `file://`, HTTP and SSH. */
async function cloneByTransports(t: TestContext, rig: Rig, { folder, remote, git }: LandingMachine): Promise<string[]> {
  const copy = async (name: string, address: string, ...settings: [string, string][]) => {
    const checkout = path.join(rig.home, 'elsewhere', name)
    fs.cpSync(folder, checkout, { recursive: true })
    for (const [key, value] of [['remote.origin.url', address], ...settings] as const)
      await git(checkout, 'config', key, value)
    return checkout
  }
  await git(remote, 'config', 'http.receivepack', 'true')
  const http = `${await startHttpServer(t, path.dirname(remote))}/${path.basename(remote)}`
  const credentials = '!f() { test "$1" = get && printf "username=ada\\npassword=pw\\n"; }; f'
  const checkouts = [
    folder,
    await copy('by-file', `file://${remote}`),
    await copy('by-http', http, ['credential.helper', credentials]),
  ]
  if (whyNoProgram('sshd', 'openssh-server')) return checkouts
  const { command, port } = await startSshServer(t, path.join(rig.home, 'ssh'))
  return [
    ...checkouts,
    await copy('by-ssh', `ssh://127.0.0.1:${port}${encodeURI(remote)}`, ['core.sshCommand', command]),
  ]
}

/** As a person would: again after each refusal, until it is on the branch. */
async function landUntilDone(
  rig: Rig,
  { id }: Session,
  checkout: string,
  count: (what: string) => void,
): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const ran = await rig.dispatch(['land', id, '--into', 'main', '--repo', checkout, '--json'])
    if (ran.stdout === '') {
      assert.ok(ran.signal === 'SIGKILL', `${ran.signal} ${ran.exitCode} ${ran.stderr}`)
      continue
    }
    // The daemon may have landed it after a kill, and another person has removed it since.
    if (rig.readStatus(id).landed.length > 0) return count('landed')
    const { state, reason } = JSON.parse(ran.stdout) as { state: string | null; reason: string }
    count(state ?? 'not tried')
    assert.ok(state === 'present' || state === 'refused' || state === null, `${state}: ${reason}`)
    await sleep(200 + random() * 500) // The file of the one before it is still there.
  }
  assert.fail(`${id} does not land`)
}

/**
 * Others remove what has landed, so that the next session has something to do, and commit something of their own. A branch that moves
 * faster than a check runs would let nothing land, so it moves a few times only for each landing.
 */
async function moveBranch(rig: Rig, git: Git, remote: string, isOver: () => boolean): Promise<void> {
  const clone = path.join(rig.home, 'elsewhere/moving')
  await git(rig.home, 'clone', '--quiet', '--branch', 'main', remote, clone)
  let movesLeft = MAX_MOVES_OF_LANDING
  for (let number = 1; !isOver(); await sleep(100 + random() * 400)) {
    await git(clone, 'fetch', '--quiet')
    await git(clone, 'reset', '--quiet', '--hard', 'origin/main')
    const hasLanded = fs.existsSync(path.join(clone, 'hello.sh'))
    if (hasLanded) movesLeft = MAX_MOVES_OF_LANDING
    else if (movesLeft-- <= 0) continue
    fs.rmSync(path.join(clone, 'hello.sh'), { force: true })
    fs.writeFileSync(path.join(clone, `other-${number % 7}`), `${number++}\n`)
    await git(clone, 'add', '--all')
    await git(clone, 'commit', '--quiet', '-m', 'other')
    await runProgram('git', ['push', '--quiet', 'origin', 'HEAD:main'], { cwd: clone }) // The hook may refuse it.
  }
}

async function killLanders(rig: Rig, isOver: () => boolean, count: (what: string) => void): Promise<void> {
  for (let kills = 0; kills < killCount && !isOver(); ) {
    await sleep(random() * MAX_KILL_DELAY_MS)
    const running = findProcesses(rig.home).filter(({ command }) => /dispatch\.[jt]s land /.test(command))
    const victim = running[Math.floor(random() * running.length)]
    if (victim === undefined) continue
    try {
      process.kill(victim.pid, 'SIGKILL')
      count('killed')
      kills++
    } catch {} // It has ended.
  }
}

/** The history is one line; each session is in it once, as the tree of a record that was ready; each record is sound. */
async function verifyBranch(git: Git, remote: string, sessions: Session[]): Promise<void> {
  const format = '%H%x00%T%x00%P%x00%(trailers:key=Dispatch-Session,valueonly,separator=%x20)'
  const history = (await git(remote, 'log', `--format=${format}`, 'main')).split('\n').map(line => line.split('\0'))
  assert.ok(history.every(([, , parents = '']) => parents.split(' ').length === 1))
  const landed = new Map<string, { commit: string; tree: string }[]>()
  for (const [commit = '', tree = '', , id = ''] of history)
    if (id !== '') landed.set(id, [...(landed.get(id) ?? []), { commit, tree }])
  assert.equal(landed.size, sessions.length, 'none is lost')
  for (const session of sessions) {
    const [only, ...others] = landed.get(session.id) ?? []
    assert.deepEqual(others, [], `${session.id} landed twice`)
    const { problems, isSound } = await auditSession(session.paths.folder)
    assert.ok(isSound, JSON.stringify(problems))
    const lines = fs.readFileSync(session.paths.events, 'utf8').split('\n').filter(Boolean)
    const events = lines.map(line => JSON.parse(line))
    const pushed = events.filter(({ type }) => type === 'landing.pushed')
    assert.deepEqual(
      pushed.map(({ commit, tree }) => ({ commit, tree })),
      [only],
    )
    const checked = events.find(({ type, number }) => type === 'landing.checked' && number === pushed[0].number)
    assert.equal(checked.result, 'ready')
    const record = readLanding(session.paths, checked.number, checked.sha256)
    assert.ok(record)
    assert.equal(record.landed.tree, only?.tree)
    assert.ok(record.landed.tree === record.judged.tree || record.verdict?.verdict === 'PASS')
  }
}
