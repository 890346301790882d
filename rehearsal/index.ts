export { listScenarioNames, printScenarios, rehearse } from './rehearse.ts'
export type { Scenario } from './scenario.ts'
