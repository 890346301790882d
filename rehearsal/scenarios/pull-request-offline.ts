import { createPullRequestScenario } from '../pull-request/play.ts'

export const scenario = createPullRequestScenario('the same, and the network is dead for a while', 'a dead network')
