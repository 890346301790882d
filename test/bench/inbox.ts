import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { runProgram } from '#host/exec.ts'
import { type FakeModels, startFakeModels } from '#rehearsal/fake-models.ts'
import { buildRehearsalEnvironment } from '#rehearsal/rehearse.ts'
import { say } from '#rehearsal/scenario.ts'
import { commitFolder } from '../fixtures/rig.ts'

/**
 * `npm run bench:inbox`: the time from the rename of a file into an inbox, and from the last write of one that is written there, to
 * the orchestrator's first API request, compared with `dispatch` itself, alternating in one run. Figures to look at, not a test.
 */
const rounds = Number(process.argv[2] ?? 7)
const scenario = { title: '', task: 'say hello', workers: {}, orchestrator: [say('hello')], endStates: [] }
const entryPoint = path.join(import.meta.dirname, '../../bin/dispatch')
const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-bench-')))
const models = await startFakeModels(scenario)
const environment = Object.fromEntries(
  Object.entries({
    ...buildRehearsalEnvironment(home, models.url, scenario),
    NODE_COMPILE_CACHE: path.join(home, 'cache'),
    SANDBOX: process.argv[3] ?? 'off',
    STAGGER_SEC: '0',
    MAX_STARTS_DAY: '1000',
    DISPATCH_DEV: '0',
  }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
) as Record<string, string>
fs.mkdirSync(path.join(home, 'home'), { recursive: true })
fs.mkdirSync(path.join(home, 'dispatch'), { mode: 0o700 })
fs.writeFileSync(path.join(home, 'dispatch/.env'), `SANDBOX=${environment['SANDBOX']}\n`, { mode: 0o600 })
const repository = path.join(home, 'shop')
fs.mkdirSync(repository)
fs.writeFileSync(path.join(repository, 'a.txt'), '1')
await commitFolder(repository)
const inbox = path.join(repository, '.agent-queue/inbox')
const dispatch = (...args: string[]) =>
  runProgram('/bin/sh', [entryPoint, ...args], { env: environment, cwd: repository })

/** What puts a task there, and the moment of its last step. */
const ways: Record<string, (name: string) => number | Promise<number>> = {
  'dispatch itself': () => {
    const atMs = Date.now()
    void dispatch('say hello')
    return atMs
  },
  'a rename into the inbox': name => {
    fs.writeFileSync(path.join(home, name), 'say hello')
    const atMs = Date.now()
    fs.renameSync(path.join(home, name), path.join(inbox, name))
    return atMs
  },
  'a write into the inbox': name => {
    const atMs = Date.now()
    fs.writeFileSync(path.join(inbox, name), 'say hello')
    return atMs
  },
}
const times: Record<string, number[]> = Object.fromEntries(Object.keys(ways).map(way => [way, []]))

await dispatch('projects', 'add')
for (
  let round = -1;
  round < rounds;
  round++ // The first one warms up.
)
  for (const [way, start] of Object.entries(ways)) {
    models.requests.length = 0
    const startedMs = await start(`${round + 1}-${way.replaceAll(' ', '-')}.md`)
    const ms = (await waitForRequest(models)) - startedMs
    if (round >= 0) times[way]?.push(ms)
    await waitForQuiet()
    for (const { id } of JSON.parse((await dispatch('ls', '--json')).stdout) as { id: string }[])
      await dispatch('stop', id)
  }
const base = median(times['dispatch itself'] ?? [])
for (const [way, values] of Object.entries(times))
  console.log(
    `${`${way} to the first request`.padEnd(46)} median ${median(values)} ms, ratio ${(median(values) / base).toFixed(2)}   (${values.join(' ')})`,
  )
await dispatch('stop', '--all')
await models.close()
fs.rmSync(home, { recursive: true, force: true })

async function waitForRequest({ requests }: FakeModels): Promise<number> {
  for (;;) {
    const request = requests.find(({ path: place }) => place.startsWith('/v1/messages'))
    if (request) return request.at
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** Until nothing is being started any more, so that no start disturbs the next one. */
async function waitForQuiet(): Promise<void> {
  for (;;) {
    const { items } = JSON.parse((await dispatch('queue', '--json')).stdout) as { items: { state: string }[] }
    if (!items.some(({ state }) => state === 'waiting' || state === 'starting')) break
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  await new Promise(resolve => setTimeout(resolve, 1500))
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
