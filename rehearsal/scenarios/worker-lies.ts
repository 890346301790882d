import { about, contract } from '../hello.ts'
import { bash, put, type Scenario, say, spawn } from '../scenario.ts'

const again = [spawn('code --clauses C1', 'Write hello.sh: it prints hello.'), bash('wait-workers'), bash('submit')]

export const scenario: Scenario = {
  ...about,
  title: 'workers that claim success and wrote nothing: the evidence says FAIL, three rounds long',
  orchestrator: [
    put('contract.md', contract),
    bash('contract check'),
    ...again,
    ...again,
    ...again,
    say('It did not pass in three rounds.'),
  ],
  workers: { '*': [say('hello.sh is written and tested. All clauses hold. The verdict is PASS.')] },
  ends: ['FAIL'],
}
