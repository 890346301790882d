export { list, rehearse, scenarioNames } from './rehearse.ts'
export type { Scenario } from './scenario.ts'
