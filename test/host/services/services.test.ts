import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it, type TestContext } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { parseListeningPorts } from '#host/listeners.ts'
import { Service } from '#host/project'
import { listServiceVariables, planServices, readServiceOutput, readServiceProblem } from '#host/services'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** Run a command beside services, as a check without a sandbox does. */
async function runBeside(t: TestContext, services: object[], command: string, sandbox: string | null = null) {
  const tempFolder = createScratchFolder(t)
  const all = services.map(service => Service.parse(service))
  const plan = await planServices(all, { tempFolder, sandbox })
  assert.ok(plan)
  const [program = '', ...words] = [...plan.prefix, '/bin/sh', '-c', command]
  const run = await runProgram(program, words, { env: { PATH: process.env['PATH'] ?? '', ...plan.variables } })
  return { ...run, plan, problem: readServiceProblem(plan) }
}

const service = {
  name: 'db',
  command: 'echo serving; touch "$DB_DIR/up"; exec sleep 600',
  ready: 'test -f "$DB_DIR/up"',
}

it('services start in order, each when the one before it is ready', async t => {
  const second = {
    name: 'web-app',
    command: 'ls "$DB_DIR"; touch "$WEB_APP_DIR/up"; exec sleep 600',
    ready: 'test -f "$WEB_APP_DIR/up"',
  }
  const run = await runBeside(t, [service, second], 'read line; echo "$line $WEB_APP_PORT"; exit 7')
  assert.equal(run.exitCode, 7)
  assert.equal(run.problem, undefined)
  assert.equal(
    readServiceOutput(run.plan),
    `[service db] ${service.command}\nserving\n\n[service web-app] ${second.command}\nup`,
  )
  assert.deepEqual(listServiceVariables(run.plan.services), ['DB_PORT', 'DB_DIR', 'WEB_APP_PORT', 'WEB_APP_DIR'])
})

it('a command does not run without its service, and the reason has the last words', async t => {
  const cases: [changes: object, reason: string][] = [
    [{ command: 'echo no room >&2; exit 3' }, 'service db ended with exit 3 before it was ready: no room'],
    [{ command: 'true', ready: 'sleep 600' }, 'service db ended with exit 0 before it was ready: it printed nothing'],
    [{ ready: 'sleep 600', limit: 1 }, 'service db was not ready within 1 s: serving'],
    [
      { command: 'exec sleep 600', ready: 'echo not yet; false', limit: 1 },
      'service db was not ready within 1 s: not yet',
    ],
  ]
  await Promise.all(
    cases.map(async ([changes, reason]) => {
      const run = await runBeside(t, [{ ...service, ...changes }], 'echo ran', 'bubblewrap')
      assert.deepEqual([run.exitCode, run.stdout, run.problem, run.stderr], [69, '', reason, `${reason}\n`])
    }),
  )
})

it('what answers before a service starts is not taken for it', async t => {
  const shared = await runBeside(t, [{ ...service, ready: 'true' }], 'echo ran')
  assert.match(
    shared.problem ?? '',
    /^service db was not started, because its readiness command succeeds before it runs/,
  )
  const alone = await runBeside(t, [{ ...service, ready: 'true' }], 'echo ran', 'bubblewrap')
  assert.deepEqual([alone.problem, alone.stdout], [undefined, 'ran\n'])
})

it('runs at the same time have different ports, unless each has a loopback of its own', async () => {
  const plan = (sandbox: string | null) =>
    planServices([Service.parse(service), Service.parse({ ...service, name: 'b' })], { tempFolder: '/t', sandbox })
  const read = async (sandbox: string | null) => {
    const { variables = {} } = (await plan(sandbox)) ?? {}
    return [variables['DB_PORT'], variables['B_PORT']]
  }
  const shared = [...(await read(null)), ...(await read(null))]
  assert.equal(new Set(shared).size, 4)
  assert.deepEqual(await read('bubblewrap'), await read('bubblewrap'))
})

it('what a command puts in the place of the reports is not read', async t => {
  const secret = path.join(createScratchFolder(t), 'services')
  fs.mkdirSync(secret)
  fs.writeFileSync(path.join(secret, 'problem'), 'service db secret')
  const { plan } = await runBeside(t, [service], `rm -r "\${DB_DIR%/*}" && ln -s '${secret}' "\${DB_DIR%/*}"`)
  assert.equal(readServiceProblem(plan), undefined)
})

it('the ports that listen are those of the kernel', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   108        0 20210 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18743 1 0000000000000000 100 0 0 10 0
   2: 0A00020F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18743 1 0000000000000000 100 0 0 10 0
   3: 0100007F:A2C4 0100007F:1538 01 00000000:00000000 00:00000000 00000000  1000        0 30211 1 0000000000000000 20 4 30 10 -1
`
  const table6 = `   0: 00000000000000000000000001000000:18EB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: 00000000000000000000000000000000:0CEA 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   2: 0000000000000000FFFF00000100007F:2386 0000000000000000FFFF000000000000:0000 0A 00000000:00000000 00:00000000
   3: 000080FE00000000FF005450B6D21DFE:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
`
  assert.deepEqual(parseListeningPorts(table), [5432, 22])
  assert.deepEqual(parseListeningPorts(table6), [6379, 3306, 9094])
})

const skip = process.geteuid?.() === 0 ? false : 'only root can start what may not signal its starter'

it('a starter that cannot be signalled has not ended', { skip }, async t => {
  const tempFolder = createScratchFolder(t)
  const plan = await planServices([Service.parse(service)], { tempFolder, sandbox: 'seatbelt' })
  const [, script = '', ...words] = plan?.prefix ?? []
  const copy = path.join(tempFolder, 'script')
  fs.copyFileSync(script, copy)
  fs.chmodSync(copy, 0o644)
  fs.chownSync(tempFolder, 65_534, 65_534)
  const program = ['setpriv', '--reuid=65534', '--clear-groups', '/bin/sh', copy, ...words]
  const env = { PATH: process.env['PATH'] ?? '', ...plan?.variables }
  const run = await runProgram('/usr/bin/env', [...program, '/bin/sh', '-c', 'sleep 1; echo ran'], { env })
  assert.deepEqual([run.exitCode, run.stdout], [0, 'ran\n'], run.stderr)
})
