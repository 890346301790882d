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

/** Set by the parts of `npm run torture` that run whole sweeps. */
export const areAllCasesWanted = Boolean(process.env['ALL_CASES'])

/**
 * The cases of a sweep: many cases of one kind, each of which is cheap. `npm test` runs `count` of them, others each day, so that
 * all have their turn within days; LONG_DAY=20000 repeats a day. `npm run torture -- sweeps` runs all of them.
 */
export function sampleCases<Case>(cases: Case[], count: number): Case[] {
  if (areAllCasesWanted || count >= cases.length) return cases
  const first = pickTurn(cases.length, count)
  const random = createRandom(SAMPLE_ORDER_SEED)
  const inOrderOfTurn = cases.map(item => ({ item, turn: random() })).sort((a, b) => a.turn - b.turn)
  return Array.from({ length: count }, (_, at) => inOrderOfTurn[(first + at) % cases.length]?.item as Case)
}

/** Where the sample of a day begins: a number below `turns`, `step` more each day. */
export function pickTurn(turns: number, step = 1): number {
  const day = Number(process.env['LONG_DAY'] ?? Math.floor(Date.now() / DAY_MS))
  return (day * step) % turns
}

const DAY_MS = 24 * 60 * 60_000
/** The order stays the same, or a case could miss its turn. */
const SAMPLE_ORDER_SEED = 1

/** Is the time of LONG_SECONDS over? Then the test is skipped. */
export function isTimeUp(test: TestContext): boolean {
  if (endsAtMs === undefined || Date.now() < endsAtMs) return false
  test.skip('the time is over')
  return true
}
