/** After an update: what runs older code says so, and is started again. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { copyInstall } from '../fixtures/copy-install.ts'
import { findFreePort } from '../fixtures/free-port.ts'
import { idleScenario, withRig } from '../fixtures/rig.ts'
import { waitUntil } from '../fixtures/scratch.ts'

interface Health {
  pid: number
  version: string
  isOutdated: boolean
  daemon: { pid: number; version: string; isOutdated: boolean }
}

it('daemon, page and runner of older code are told, and the first two make room for the new', async () => {
  const port = await findFreePort()
  await withRig(
    idleScenario,
    async rig => {
      const install = path.join(rig.home, 'install')
      const program = copyInstall(install)
      const update = (version: string) => {
        const file = path.join(install, 'package.json')
        const manifest = { ...JSON.parse(fs.readFileSync(file, 'utf8')), version }
        fs.writeFileSync(file, JSON.stringify(manifest))
      }
      const dispatch = async (...args: string[]) => {
        const options = { env: { ...rig.environment, DISPATCH_DEV: '0' }, cwd: path.join(rig.home, 'elsewhere') }
        const ran = await runProgram('/bin/sh', [program, ...args], options)
        assert.ok([0, 6].includes(ran.exitCode ?? -1), ran.stderr)
        return ran.stdout
      }
      const askHealth = async () => (await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()) as Health
      const waitForCode = (version: string): Promise<Health> =>
        waitUntil(async () => {
          const health = await askHealth().catch(() => undefined) // Between two pages none answers.
          const runsIt = (text?: string) => text?.startsWith(`${version}+`) === true
          return runsIt(health?.version) && runsIt(health?.daemon?.version) && health
        }, `daemon and page run ${version}`)

      update('1.0.0')
      await dispatch('do it', '--no-repo')
      const first = await waitForCode('1.0.0')
      const started = rig.readEvents().find(event => event.type === 'runner.started')
      assert.equal(started?.type === 'runner.started' && started.version, first.version)
      assert.match(first.version, /^1\.0\.0\+[0-9a-f]{12}$/)
      assert.deepEqual([first.isOutdated, first.daemon.isOutdated], [false, false])
      assert.doesNotMatch(await dispatch('ls'), /older code/)

      update('1.0.1')
      const text = 'the daemon and the page run older code than is installed: dispatch daemon --restart'
      assert.match(await dispatch('ls'), new RegExp(`${text}; 1 session goes on with older code`))
      assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), new RegExp(text))
      const page = `http://127.0.0.1:${port}/s/${rig.readSession().id}`
      assert.match(
        await (await fetch(page)).text(),
        /runner of this session runs 1\.0\.0\+\w+; 1\.0\.1\+\w+ is installed/,
      )
      const outdated = await askHealth()
      assert.deepEqual([outdated.isOutdated, outdated.daemon.isOutdated], [true, true])
      const results = JSON.parse(await dispatch('doctor', '--json')) as { name: string; state: string; fix?: object }[]
      assert.deepEqual(
        results.flatMap(({ name, state }) => (name === 'code' ? [state] : [])),
        ['ok', 'warn', 'warn'],
      )

      assert.match(await dispatch('daemon', '--restart'), /process \d+/)
      const second = await waitForCode('1.0.1')
      assert.ok(second.pid !== first.pid && second.daemon.pid !== first.daemon.pid)
      assert.match(await dispatch('ls'), /^1 session goes on with older code to the end$/m)

      update('1.0.2')
      await dispatch('do it too', '--no-repo')
      await waitForCode('1.0.2')
      assert.equal(rig.listRunners().length, 2, 'no runner was ended')
    },
    { WEBUI_PORT: String(port), DISPATCH_DEV: '0', MAX_SESSIONS_PROJECT: '9' },
  )
})
