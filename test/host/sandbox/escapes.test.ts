/** Attempts to escape. Each must fail in the sandbox, and succeed without one, or it would prove nothing. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type EscapeAttempt, escapeAttempts } from '../../fixtures/escapes/attempts.ts'
import { readEscapeOutput, runEscapes } from '../../fixtures/escapes/run-escapes.ts'
import { type EscapeHost, openHost, openWorld } from '../../fixtures/escapes/world.ts'
import { whyNoBubblewrap, whyNoProgram } from '../../fixtures/skip-reasons.ts'
import { sampleCases } from '../../long/select-cases.ts'

const numbered = escapeAttempts.map((attempt, index): [string, EscapeAttempt] => [
  String(index + 1).padStart(2, '0'),
  attempt,
])
let host: EscapeHost

before(async () => {
  host = await openHost()
})
after(() => host.close())

for (const role of ['orchestrator', 'code', 'rw', 'setup', 'check'] as const) {
  test(`nothing escapes from the sandbox of the role ${role}`, { skip: whyNoBubblewrap }, async t => {
    const world = openWorld(host)
    t.after(() => world.close())
    const escaped = await runEscapes(world, numbered, role)
    t.diagnostic(`${escapeAttempts.length - escaped.length} of ${escapeAttempts.length} attempts were blocked`)
    assert.deepEqual(escaped, [])
  })
}

test('nothing escapes from a check, as the runner starts it', { skip: whyNoBubblewrap }, async t => {
  const world = openWorld(host)
  t.after(() => world.close())
  assert.deepEqual(await runEscapes(world, numbered, 'check', 'this process'), [])
})

test('each attempt escapes without a sandbox', { skip: whyNoProgram('python3') || whyNoProgram('curl') }, async t => {
  assert.ok(escapeAttempts.length >= 60, `${escapeAttempts.length} attempts`)
  const isRoot = process.geteuid?.() === 0
  const blocked: string[] = []
  for (const [id, attempt] of sampleCases(numbered, 15)) {
    if (attempt.skipReason === 'unsafe' || attempt.skipReason === 'inside') continue
    const world = openWorld(host)
    const escaped = await runEscapes(world, [[id, attempt]])
    const output = readEscapeOutput(world, id)
    world.close()
    const mayFail = attempt.skipReason === 'kernel' || (attempt.skipReason === 'root' && !isRoot)
    if (escaped.length > 0) continue
    if (mayFail) t.diagnostic(`fails on this machine anyway: ${attempt.name}`)
    else blocked.push(`${attempt.name}: ${output.slice(0, 200)}`)
  }
  assert.deepEqual(blocked, [])
})
