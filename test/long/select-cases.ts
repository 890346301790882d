import type { TestContext } from 'node:test'
import { createRandom } from '../fixtures/scratch.ts'

const limitSeconds = process.env['LONG_SECONDS']
const endsAtMs = limitSeconds === undefined ? undefined : Date.now() + Number(limitSeconds) * 1000

/**
 * The cases of a test in which each case takes seconds. `npm test` runs only those named in `few`. `npm run torture -- long`
 * runs all of them, shuffled by LONG_SEED, for LONG_SECONDS.
 */
export function selectCases<Case>(cases: Case[], nameOf: (item: Case) => string, few: string[]): Case[] {
  const names = cases.map(nameOf)
  const unknown = few.filter(name => !names.includes(name))
  if (unknown.length > 0) throw new Error(`no case has the name ${unknown.join(', ')}`)
  if (endsAtMs === undefined) return cases.filter(item => few.includes(nameOf(item)))
  const random = createRandom(Number(process.env['LONG_SEED']))
  return cases
    .map(item => ({ item, position: random() }))
    .sort((a, b) => a.position - b.position)
    .map(({ item }) => item)
}

/** Is the time of LONG_SECONDS over? Then the test is skipped. */
export function isTimeUp(test: TestContext): boolean {
  if (endsAtMs === undefined || Date.now() < endsAtMs) return false
  test.skip('the time is over')
  return true
}
