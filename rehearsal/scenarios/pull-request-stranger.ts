import { createPullRequestScenario } from '../pull-request/play.ts'

export const scenario = createPullRequestScenario(
  'the same, and a stranger gives orders in a comment, beside a reviewer',
  'a stranger',
)
