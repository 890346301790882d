/**
 * A service keeps the daemon: under the real systemd where it can be started by hand, and elsewhere under a stand-in. `npm run
 * torture -- sweeps` runs both.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { helloContract, helloTask, honestWorkerTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, say, spawn, type TurnContext } from '#rehearsal/scenario.ts'
import { locateWorkerFile, waitInOwnFolder } from '../fixtures/cut-off-session.ts'
import { findFreePort } from '../fixtures/free-port.ts'
import { findProcesses, idleScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { explainNoSystemd, openServiceRig, type ServiceRig, type SystemKind } from '../fixtures/service-home.ts'
import { areAllCasesWanted } from '../long/select-cases.ts'

/** Its worker waits until there is a file `go-on`. */
const waitingScenario: Scenario = {
  title: '',
  task: helloTask,
  workers: { '*': [waitInOwnFolder, ...honestWorkerTurns] },
  orchestrator: [
    put('contract.md', helloContract),
    bash('contract check'),
    spawn('code --name hello --clauses C1', 'Write hello.sh.'),
    ...Array.from({ length: 8 }, () => ({ lastText }: TurnContext) => {
      if (lastText.includes('=== hello')) return bash('submit')
      return lastText.includes('This is final') ? say('Done.') : bash('wait-workers')
    }),
  ],
  endStates: ['PASS'],
}

interface Summary {
  isInstalled: boolean
  isRunning: boolean
  pid: number
  file: string
  survivesLogout: boolean
}

const readStatus = async (rig: Rig) =>
  JSON.parse((await rig.dispatch(['service', 'status', '--json'])).stdout) as Summary
const isAlive = (pid: number) => fs.existsSync(`/proc/${pid}`)
const listOthers = (rig: Rig) =>
  findProcesses(rig.home).filter(({ command }) =>
    /\/runner\.[jt]s |\/claude |claude\.mjs|^tmux|sleep 0\.1| web$/.test(command),
  )

async function act(rig: Rig, ...args: string[]): Promise<string> {
  const ran = await rig.dispatch(args)
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
  return ran.stdout
}

async function withServiceRig(scenario: Scenario, kind: SystemKind, run: (rig: ServiceRig) => Promise<void>) {
  const rig = await openServiceRig(scenario, kind)
  try {
    await run(rig)
  } finally {
    await rig.close()
  }
}

const bestKind = explainNoSystemd() === false ? 'systemd' : 'stand-in'
const kinds = [
  [
    'stand-in',
    bestKind === 'systemd' && !areAllCasesWanted && 'systemd is here: `npm run torture -- sweeps` runs both',
  ],
  ['systemd', explainNoSystemd()],
] as const

for (const [kind, skip] of kinds)
  describe(`a service under ${kind}`, { skip }, () => {
    it('takes over from the background, survives a kill, and never ends a worker', () =>
      withServiceRig(waitingScenario, kind, async rig => {
        await act(rig, helloTask, '--no-repo')
        await rig.waitUntil('the worker waits', () => fs.existsSync(locateWorkerFile(rig, 'waiting')))
        const findDaemons = () =>
          rig.listProcesses().flatMap(({ pid, command }) => (/dispatch\.[jt]s daemon$/.test(command) ? [pid] : []))
        const [background = 0] = findDaemons()
        assert.ok(background > 0)

        const more = { ANTHROPIC_AUTH_TOKEN: 'a-token', ROUNDS: '2', MAX_SESSIONS_PROJECT: '7' }
        const installed = await rig.dispatch(['service', 'install'], { env: more })
        assert.equal(installed.exitCode, 0, installed.stderr)
        assert.match(
          installed.stdout,
          /MAX_SESSIONS_PROJECT: put .*\.env\n.*ANTHROPIC_AUTH_TOKEN: put it into .*settings\.json/,
        )
        assert.doesNotMatch(installed.stdout, /ANTHROPIC_API_KEY/, 'the service has it from the settings of claude')
        const status = await readStatus(rig)
        assert.ok(status.isRunning && status.pid !== background)
        assert.deepEqual(findDaemons(), [status.pid], 'there is one daemon')
        assert.equal(status.survivesLogout, kind === 'stand-in')
        assert.equal(fs.statSync(status.file).mode & 0o777, 0o600)
        const unit = fs.readFileSync(status.file, 'utf8')
        assert.ok(!unit.includes(rig.environment['ANTHROPIC_API_KEY'] ?? '?'), 'no key is in the unit')
        assert.match(unit, /^Environment="ANTHROPIC_BASE_URL=/m)
        const askHealth = async (port = rig.port) =>
          (await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()) as {
            daemon: { pid: number; version: string }
          }
        assert.equal((await askHealth()).daemon.pid, status.pid)

        const others = listOthers(rig)
        assert.ok(others.length >= 5, JSON.stringify(others))
        process.kill(status.pid, 'SIGKILL')
        const second = await rig.waitUntil('the service runs again', async () => {
          const { isRunning, pid } = await readStatus(rig)
          return isRunning && pid !== status.pid && pid
        })
        const settings = path.join(rig.home, 'dispatch/.env')
        const port = await findFreePort()
        fs.writeFileSync(settings, fs.readFileSync(settings, 'utf8').replace(/(WEBUI_PORT=)\d+/, `$1${port}`))
        assert.match(await act(rig, 'service', 'restart'), /process \d+/)
        const third = await readStatus(rig)
        assert.ok(third.isRunning && third.pid !== second)
        assert.equal((await askHealth(port)).daemon.pid, third.pid, 'the page has the new port')
        await act(rig, 'service', 'install')
        const last = await readStatus(rig)
        assert.ok(last.isRunning && last.pid !== third.pid)
        assert.equal((await rig.dispatch(['daemon', '--restart'])).exitCode, 5)
        const dead = others.filter(({ pid, command }) => !isAlive(pid) && !/sleep 0\.1| web$/.test(command))
        assert.deepEqual(dead, [], 'runner, claude, worker and terminal live on')
        assert.equal(rig.readEvents().filter(({ type }) => type === 'runner.started').length, 1)

        assert.equal(rig.readStatus().workers[0]?.interruptions, undefined)

        await rig.reboot()
        await rig.waitUntil('the session is taken up', () =>
          rig.readEvents().some(({ type }) => type === 'orchestrator.resumed'),
        )
        assert.ok((await readStatus(rig)).isRunning)
        fs.writeFileSync(locateWorkerFile(rig, 'go-on'), '')
        await act(rig, 'wait')
        assert.equal(rig.readStatus().workers[0]?.interruptions, 1)

        assert.match(await act(rig, 'stop', '--all'), /service is stopped/)
        assert.equal((await rig.dispatch(['service'])).exitCode, 6)
        await act(rig, 'later', 'do it', '--no-repo', '--at', '2036-01-01T00:00')
        await rig.waitUntil(
          'the service is started instead of another daemon',
          async () => (await readStatus(rig)).isRunning,
        )
        const kept = await readStatus(rig)
        assert.match(await act(rig, 'uninstall', '--yes'), /removed[\s\S]*queue has items[\s\S]*stop --all/)
        assert.equal((await readStatus(rig)).isInstalled, false)
        await rig.waitUntil('a daemon starts what waits', () => findDaemons().some(pid => pid !== kept.pid))
        assert.equal((await rig.dispatch(['service', 'restart'])).exitCode, 4)
      }))
  })

describe('a service that does not come up', () => {
  it('is taken back, and the daemon in the background returns', () =>
    withServiceRig(idleScenario, bestKind, async rig => {
      await act(rig, 'do it', '--no-repo')
      // systemd does not know of this folder, so it does not find the unit.
      const elsewhere = { XDG_CONFIG_HOME: path.join(rig.home, 'elsewhere/config') }
      const ran = await rig.dispatch(['service', 'install'], { env: elsewhere })
      assert.equal(ran.exitCode, 6, ran.stdout)
      assert.match(
        ran.stderr,
        /does not work: .*systemctl[\s\S]*log of the daemon[\s\S]*Nothing is installed[\s\S]*@reboot/,
      )
      assert.deepEqual(fs.readdirSync(path.join(elsewhere.XDG_CONFIG_HOME, 'systemd/user')), [])
      const health = await rig.waitUntil('a daemon runs', () =>
        rig.listProcesses().find(({ command }) => /dispatch\.[jt]s daemon$/.test(command)),
      )
      assert.ok(health.pid > 0)
    }))

  it('is taken back where its daemon cannot be the one of the home', () =>
    withServiceRig(idleScenario, bestKind, async rig => {
      // Another machine that shares the home holds the right to be the daemon.
      const folder = path.join(rig.home, 'dispatch/daemon')
      fs.mkdirSync(folder)
      const place = { machine: 'another', pidNamespace: 'another', hostName: 'another' }
      const holder = { pid: 1, startTime: '1', bootId: 'another', place }
      fs.writeFileSync(path.join(folder, '000000000001'), JSON.stringify(holder))
      const ran = await rig.dispatch(['service', 'install'])
      assert.equal(ran.exitCode, 6, ran.stdout)
      assert.match(
        ran.stderr,
        /ends again and again[\s\S]*the daemon of this home runs on another[\s\S]*Nothing is installed/,
      )
      assert.equal((await readStatus(rig)).isInstalled, false)
    }))
})

describe('where there are no services', () => {
  it('install is exit 6, and says what works instead', () =>
    withRig(idleScenario, async rig => {
      const env = { XDG_RUNTIME_DIR: path.join(rig.home, 'nothing'), DBUS_SESSION_BUS_ADDRESS: '' }
      const ran = await rig.dispatch(['service', 'install'], { env })
      assert.equal(ran.exitCode, 6)
      assert.match(
        ran.stderr,
        /no service can be installed here[\s\S]*works without a service[\s\S]*@reboot .*daemon --restart/,
      )
      assert.match((await rig.dispatch(['service'], { env })).stdout, /No service is installed/)
      assert.equal((await rig.dispatch(['service', 'begin'])).exitCode, 2)
    }))
})
