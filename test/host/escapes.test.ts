/** C11: ways out of a sandbox. None may lead out; and each does where there is none, or it would prove nothing. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sandboxHere } from '../../host/index.ts'
import { attempt, saidBy } from './escapes/attempt.ts'
import { type Try, tries } from './escapes/tries.ts'
import { type Host, openHost, openWorld } from './escapes/world.ts'

const here = await sandboxHere()
const skip = 'kind' in here && here.kind === 'bubblewrap' ? false : 'no bubblewrap that works here'
const numbered = tries.map((one, at): [string, Try] => [String(at + 1).padStart(2, '0'), one])
let host: Host

before(async () => {
  host = await openHost()
})
after(() => host.close())

for (const role of ['orchestrator', 'code', 'rw', 'check'] as const) {
  test(`no way leads out of the sandbox of a ${role}`, { skip }, async t => {
    const world = openWorld(host)
    t.after(() => world.close())
    const out = await attempt(world, numbered, role)
    t.diagnostic(`${tries.length - out.length} of ${tries.length} ways were blocked`)
    assert.deepEqual(out, [])
  })
}

test('each of them leads out where there is no sandbox', async t => {
  assert.ok(tries.length >= 60, `${tries.length} ways`)
  const isRoot = process.geteuid?.() === 0
  const blocked: string[] = []
  for (const [id, one] of numbered) {
    if (one.unless === 'unsafe' || one.unless === 'inside') continue
    const world = openWorld(host)
    const out = await attempt(world, [[id, one]])
    const said = saidBy(world, id)
    world.close()
    const mayFail = one.unless === 'kernel' || (one.unless === 'root' && !isRoot)
    if (out.length > 0) continue
    if (mayFail) t.diagnostic(`not here, by itself: ${one.name}`)
    else blocked.push(`${one.name}: ${said.slice(0, 200)}`)
  }
  assert.deepEqual(blocked, [])
})
