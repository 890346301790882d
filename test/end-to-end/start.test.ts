import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { describe, it } from 'node:test'
import { helloTask } from '#rehearsal/hello.ts'
import { bash, type Scenario } from '#rehearsal/scenario.ts'
import { findProcesses, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'

/** A model whose first answer is this, and that never answers again. */
const startsWith = (...orchestrator: Scenario['orchestrator']): Scenario => ({
  title: '',
  task: '',
  workers: {},
  orchestrator: [...orchestrator, { hang: true }],
  endStates: [],
})

const refusal = (refuse: number, kind: string, reason: string) => ({ refuse, kind, reason })

const listTypes = (rig: Rig) => rig.readEvents().map(({ type }) => type)

describe('a start', { concurrency: 3 }, () => {
  it('has succeeded when the model has answered once', () =>
    withRig(startsWith(bash(':')), async rig => {
      const ran = await rig.dispatch([helloTask])
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.ok(listTypes(rig).includes('orchestrator.started'))
    }))

  it('goes on when claude is killed before its first answer', () => {
    let asked = 0
    return withRig(
      startsWith(() => (++asked === 1 ? { hang: true } : bash(':'))),
      async rig => {
        const starting = rig.dispatch([helloTask])
        await rig.waitUntil('the model is asked', () => rig.models.requests.some(({ role }) => role === 'orchestrator'))
        const { paths } = rig.readSession()
        for (const { pid } of findProcesses(`DISPATCH_STOP_GATE=${paths.stopGate}`)) process.kill(pid, 'SIGKILL')
        const ran = await starting
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        const resumed = rig.readEvents().flatMap(event => (event.type === 'orchestrator.resumed' ? [event] : []))
        assert.deepEqual(
          resumed.map(event => event.isNewConversation),
          [true],
        )
        assert.ok(listTypes(rig).includes('orchestrator.started'))
      },
    )
  })

  it('goes on without the command: --no-wait returns before the model has answered', () =>
    withRig(startsWith(), async rig => {
      const ran = await rig.dispatch([helloTask, '--no-wait'])
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.match(ran.stdout, /^ {2}opened\. +dispatch watch/m)
      await rig.waitUntil('the model is asked', () => rig.models.requests.some(({ role }) => role === 'orchestrator'))
      assert.equal(rig.readStatus().phase, 'opening')
    }))

  it('that the vendor refuses for now is parked, with exit 0', () =>
    withRig(
      { ...startsWith(), orchestrator: Array(12).fill(refusal(429, 'rate_limit_error', 'slow down')) },
      async rig => {
        const ran = await rig.dispatch([helloTask])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /parked, because the model does not answer for now/)
        assert.ok(!listTypes(rig).includes('orchestrator.started'))
        assert.ok(rig.listRunners().length > 0, 'the session waits')
      },
      { RIG_CLAUDE: 'real' },
    ))

  it('that meets an overloaded vendor is parked, with exit 0', () =>
    withRig(
      { ...startsWith(), orchestrator: Array(12).fill(refusal(529, 'overloaded_error', 'Overloaded')) },
      async rig => {
        const ran = await rig.dispatch([helloTask])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /parked, because the model does not answer for now: .*529/)
        assert.ok(rig.listRunners().length > 0, 'the session waits')
      },
      { RIG_CLAUDE: 'real' },
    ))

  it('with a refused key is exit 7, and leaves nothing running', () =>
    withRig(
      { ...startsWith(), orchestrator: Array(12).fill(refusal(401, 'authentication_error', 'invalid x-api-key')) },
      async rig => {
        const ran = await rig.dispatch([helloTask])
        assert.equal(ran.exitCode, 7, ran.stdout + ran.stderr)
        assert.match(ran.stderr, /did not start: .*401 invalid x-api-key/)
        await rig.waitUntil('every process has ended', () => rig.listRunners().length === 0)
      },
      { RIG_CLAUDE: 'real' },
    ))

  it('that meets a failing vendor is parked, with exit 0', () =>
    withRig(
      { ...startsWith(), orchestrator: Array(12).fill(refusal(500, 'api_error', 'Internal server error')) },
      async rig => {
        const ran = await rig.dispatch([helloTask])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /parked, because the model does not answer for now: .*500/)
        assert.ok(rig.listRunners().length > 0, 'the session waits')
      },
      { RIG_CLAUDE: 'real' },
    ))

  for (const SANDBOX of ['off', 'auto'])
    it(`with a model that cannot be reached is exit 6 and names host and cause: SANDBOX=${SANDBOX}`, () =>
      withRig(
        startsWith(),
        async rig => {
          const server = http.createServer()
          await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
          const { port } = server.address() as AddressInfo
          await new Promise(resolve => server.close(resolve))
          const env = { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` }
          const ran = await rig.dispatch([helloTask], { env })
          assert.equal(ran.exitCode, 6, ran.stdout + ran.stderr)
          assert.match(ran.stderr, new RegExp(`cannot reach its model at 127\\.0\\.0\\.1:${port}`))
          assert.match(ran.stderr, /ECONNREFUSED|ConnectionRefused/)
          await rig.waitUntil('every process has ended', () => rig.listRunners().length === 0)
        },
        { RIG_CLAUDE: 'real', START_TIMEOUT_SEC: '25', SANDBOX },
      ))

  it('is not stopped by hooks, plugins or disabled hooks in your own settings', () =>
    withRig(
      startsWith(bash(':')),
      async rig => {
        const folder = path.join(rig.home, 'home/.claude')
        fs.mkdirSync(folder, { recursive: true })
        const deny = [{ hooks: [{ type: 'command', command: `touch ${rig.home}/ran; exit 2` }] }]
        const settings = { hooks: { UserPromptSubmit: deny, PreToolUse: deny, Stop: deny }, disableAllHooks: true }
        fs.writeFileSync(path.join(folder, 'settings.json'), JSON.stringify(settings))
        fs.writeFileSync(path.join(rig.home, 'home/.claude.json'), '{"hasCompletedOnboarding":true}')
        const ran = await rig.dispatch([helloTask])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /without your settings of claude for hooks, disableAllHooks/)
        assert.ok(!fs.existsSync(path.join(rig.home, 'ran')))
      },
      { RIG_CLAUDE: 'real' },
    ))
})

it('a worker at the limit of the vendor parks the session, and nothing is lost', () =>
  withRig(
    {
      ...helloScenario,
      workers: {
        '*': [
          {
            ...refusal(429, 'rate_limit_error', "You've hit your Opus limit · resets 3am (UTC)"),
            headers: { 'x-should-retry': 'false' },
          },
        ],
      },
    },
    async rig => {
      assert.equal((await rig.dispatch([helloTask])).exitCode, 0)
      const parked = await rig.waitUntil('the worker is parked', () =>
        rig.readEvents().find(({ type }) => type === 'worker.parked'),
      )
      assert.ok(parked.type === 'worker.parked' && parked.resetsAt !== null)
      await rig.waitForTick()
      const types = listTypes(rig)
      assert.equal(types.filter(type => type === 'usage-limit.reached').length, 1)
      assert.ok(!types.includes('worker.ended') && !types.includes('human.needed'))
      assert.match((await rig.dispatch(['ls'])).stdout, /parked/)
    },
  ))
