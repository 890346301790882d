export { list, rehearse, scenarioNames } from './rehearse.ts'
export type { Scenario } from './scenario.ts'
export { scriptedTraits } from './traits.ts'
