import type { TestContext } from 'node:test'
import { createRandom } from '../fixtures/scratch.ts'

/**
 * A sweep makes one claim over many acts, each of which costs seconds. `npm test` makes it over the few that are named here,
 * `npm run torture -- sweeps` over all of them: in an order of the seed, as far as its time goes.
 */
export function selectCases<Act>(acts: Act[], nameOf: (act: Act) => string, few: string[]): Act[] {
  const known = acts.map(nameOf)
  const unknown = few.filter(name => !known.includes(name))
  if (unknown.length > 0) throw new Error(`no act of this sweep is called ${unknown.join(', ')}`)
  if (endsAtMs === undefined) return acts.filter(act => few.includes(nameOf(act)))
  const random = createRandom(Number(process.env['SWEEP_SEED']))
  return acts
    .map(act => ({ act, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ act }) => act)
}

/** Is the time of this sweep over? Then the rest of its acts are skipped. */
export function isTimeUp(test: TestContext): boolean {
  if (endsAtMs === undefined || Date.now() < endsAtMs) return false
  test.skip('the time is over')
  return true
}

const limitSeconds = process.env['SWEEP_SECONDS']
const endsAtMs = limitSeconds === undefined ? undefined : Date.now() + Number(limitSeconds) * 1000
