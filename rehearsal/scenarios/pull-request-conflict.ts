import { createPullRequestScenario } from '../pull-request/play.ts'

export const scenario = createPullRequestScenario(
  'the same, and the branch changes the same file meanwhile',
  'a conflict',
)
