import { createPullRequestScenario } from '../pull-request/play.ts'

export const scenario = createPullRequestScenario(
  'an issue becomes a pull request; its CI is red, then green; it is merged',
  'nothing',
)
