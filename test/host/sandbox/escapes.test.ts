/** C11: ways out of a sandbox. None may lead out; and each does where there is none, or it would prove nothing. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { detectSandbox } from '#host/sandbox'
import { type EscapeAttempt, escapeAttempts } from '../../fixtures/escapes/attempts.ts'
import { readEscapeOutput, runEscapes } from '../../fixtures/escapes/run-escapes.ts'
import { type EscapeHost, openHost, openWorld } from '../../fixtures/escapes/world.ts'

const here = await detectSandbox()
const skip = 'kind' in here && here.kind === 'bubblewrap' ? false : 'no bubblewrap that works here'
const numbered = escapeAttempts.map((one, at): [string, EscapeAttempt] => [String(at + 1).padStart(2, '0'), one])
let host: EscapeHost

before(async () => {
  host = await openHost()
})
after(() => host.close())

for (const role of ['orchestrator', 'code', 'rw', 'check'] as const) {
  test(`no way leads out of the sandbox of a ${role}`, { skip }, async t => {
    const world = openWorld(host)
    t.after(() => world.close())
    const out = await runEscapes(world, numbered, role)
    t.diagnostic(`${escapeAttempts.length - out.length} of ${escapeAttempts.length} ways were blocked`)
    assert.deepEqual(out, [])
  })
}

test('each of them leads out where there is no sandbox', async t => {
  assert.ok(escapeAttempts.length >= 60, `${escapeAttempts.length} ways`)
  const isRoot = process.geteuid?.() === 0
  const blocked: string[] = []
  for (const [id, one] of numbered) {
    if (one.skipReason === 'unsafe' || one.skipReason === 'inside') continue
    const world = openWorld(host)
    const out = await runEscapes(world, [[id, one]])
    const said = readEscapeOutput(world, id)
    world.close()
    const mayFail = one.skipReason === 'kernel' || (one.skipReason === 'root' && !isRoot)
    if (out.length > 0) continue
    if (mayFail) t.diagnostic(`not here, by itself: ${one.name}`)
    else blocked.push(`${one.name}: ${said.slice(0, 200)}`)
  }
  assert.deepEqual(blocked, [])
})
