/** `dispatch smoke-test`, with scripted models. */
import assert from 'node:assert/strict'
import { spawn as spawnProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { bash, put, type Scenario, say, spawn, write } from '#rehearsal/scenario.ts'
import { idleScenario, type Rig, withPhone, withRig } from '../fixtures/rig.ts'

// --- the task, as scripted models do it ---

const python = {
  file: 'mathx.py',
  tests: 'test_mathx.py',
  start: 'python3 -B -m unittest',
  module: `
import math


def add(a, b):
    return a + b


def gcd(a, b):
    return math.gcd(a, b)


def is_prime(n):
    return n > 1 and all(n % divisor for divisor in range(2, math.isqrt(n) + 1))
`,
  test: `
import unittest
from mathx import add, gcd, is_prime


class Mathx(unittest.TestCase):
    def test_all(self):
        self.assertEqual([add(2, 3), gcd(12, 18), gcd(0, 0), is_prime(1), is_prime(97)], [5, 6, 0, False, True])
`,
}

const javascript = {
  file: 'mathx.mjs',
  tests: 'mathx.test.mjs',
  start: 'node --test',
  module: `
export const add = (a, b) => a + b
export const gcd = (a, b) => (b === 0 ? Math.abs(a) : gcd(b, a % b))
export function is_prime(n) {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return n > 1
}
`,
  test: `
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { add, gcd, is_prime } from './mathx.mjs'

test('all', () => assert.deepEqual([add(2, 3), gcd(12, 18), gcd(0, 0), is_prime(1), is_prime(97)], [5, 6, 0, false, true]))
`,
}

const { file, tests, start, module, test } =
  (await runProgram('python3', ['--version'])).exitCode === 0 ? python : javascript

const contract = `
# Contract: mathx

## C1 — The tests of add, gcd and is_prime pass
- covers: S1, S2
- check: \`test -f ${tests} && ${start}\`

## C2 — No other file is made
- covers: S3
- scope: \`${file}\` \`${tests}\`
`

const mathx: Scenario = {
  title: '',
  task: '',
  orchestrator: [
    put('contract.md', contract),
    bash('contract check'),
    spawn('code --name mathx --clauses C1', `Write ${file} and ${tests}.`),
    bash('wait-workers'),
    bash('submit'),
    context => say(context.lastText.slice(0, 200)),
  ],
  workers: {
    mathx: [
      context => write(`${context.folder}/${file}`, `${module.trim()}\n`),
      context => write(`${context.folder}/${tests}`, `${test.trim()}\n`),
      bash(start),
      say('The tests pass. C1 holds.'),
    ],
  },
  endStates: ['PASS'],
}

const listNotifications = (rig: Rig) => rig.models.requests.filter(({ body }) => body.startsWith('the smoke test'))

describe('the smoke test with scripted models', { concurrency: 2 }, () => {
  it('PASS is exit 0, with one notification and the cost', () =>
    withRig(
      mathx,
      async rig => {
        const ran = await rig.dispatch(['smoke-test', '--yes'])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /about \$0\.50[\s\S]*started and is planning/) // The price comes before anything starts.
        assert.match(ran.stdout, /, at http:\/\/127\.0\.0\.1/)
        assert.match(ran.stdout, /C1 +green now/)
        assert.match(ran.stdout, /Workers\n +mathx .*\$0\.\d+/)
        assert.match(ran.stdout, /Smoke test passed\..*dispatch rm --force/)
        assert.equal(listNotifications(rig).length, 1)
        assert.ok(rig.readStatus().closed, 'the session is still open')
      },
      withPhone,
    ))

  it('FAIL is exit 3, with the next command and no notification', () => {
    const judge = [{ C1: { met: 'no' as const, reason: 'the tests test nothing' } }]
    return withRig(
      { ...mathx, judge },
      async rig => {
        const ran = await rig.dispatch(['smoke-test', '--yes'])
        assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /Smoke test failed: the state is FAIL/)
        assert.match(ran.stdout, /dispatch show \w{4} /)
        assert.equal(listNotifications(rig).length, 0)
        assert.ok(!rig.readStatus().closed, 'the session is closed')
      },
      { ...withPhone, ROUNDS: '1' },
    )
  })

  it('--json is one object with state, cost and deliveries', () =>
    withRig(
      mathx,
      async rig => {
        const ran = await rig.dispatch(['smoke-test', '--yes', '--json'])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        const { state, cost, channelTests } = JSON.parse(ran.stdout)
        assert.equal(state, 'PASS')
        assert.equal(cost.workers.length, 1)
        assert.deepEqual(
          channelTests.map(({ channel, ok }: { channel: string; ok: boolean }) => [channel, ok]),
          [['phone', true]],
        )
      },
      withPhone,
    ))

  it('Ctrl-c before the first answer is exit 130, and names what goes on', () =>
    withRig(idleScenario, async rig => {
      const bin = path.join(rig.home, 'bin')
      fs.mkdirSync(bin)
      const script = '#!/bin/sh\n[ "$1" = --version ] && exec echo 2.1.329\nexec sleep 600\n'
      fs.writeFileSync(path.join(bin, 'claude'), script, { mode: 0o755 })
      const child = spawnProcess('/bin/sh', [rig.entryPoint, 'smoke-test', '--yes', '--json'], {
        env: { ...rig.environment, PATH: `${bin}:${rig.environment['PATH']}` },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const ended = once(child, 'exit')
      const errors = text(child.stderr)
      await rig.waitUntil('its terminal is open', () =>
        rig.listProcesses().some(({ command }) => /sleep 600/.test(command)),
      )
      child.kill('SIGINT')
      assert.deepEqual(await ended, [130, null])
      assert.match(await errors, /dispatch stop/)
    }))

  it('a problem that would make it fail is rejected first, with the fix', () =>
    withRig(idleScenario, async rig => {
      const reject = async (args: string[], env: Record<string, string>) => {
        const ran = await rig.dispatch(['smoke-test', ...args], { env })
        return `${ran.exitCode} ${ran.stderr}`
      }
      assert.match(await reject(['--yes'], { GEMINI_API_KEY: '' }), /^7 .*GEMINI_API_KEY is not set.*\n.*aistudio/)
      assert.match(await reject(['--yes'], { ANTHROPIC_API_KEY: '' }), /^7 .*does not yet trust.*\n.*dispatch setup/)
      assert.match(await reject(['--yes'], { PATH: '/nowhere' }), /^6 /)
      assert.match(await reject([], {}), /^2 .*no terminal.*\n.*--yes/)
      assert.match(await reject(['--json'], {}), /^2 .*--json.*\n.*--yes/)
      assert.deepEqual(fs.existsSync(path.join(rig.home, 'dispatch/workspace')), false)
    }))
})
