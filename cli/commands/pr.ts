import { readConfig } from '#host/config'
import { findSession } from '#session'
import { defineCommand, UsageError } from '../command.ts'
import { isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { printPullRequest, toPullRequestJson } from '../output/pull-request-view.ts'
import { print } from '../output/terminal.ts'
import { openPullRequest } from '../pull-request/open.ts'

const issuePattern = /^#?(\d{1,9})$|^[\w.-]+\/[\w.-]+#\d{1,9}$/

export const command = defineCommand({
  about: `
Opens a pull request on GitHub with the judged work, or brings the one of the session up to date. The work is pushed as a branch, as
one commit in your name with the judged tree. The pull request says what was asked, what to look at first, and has the matrix from the
task to the verdict, without secrets. What people write around that stays.

Only a valid PASS is opened. With --draft, other work is opened too, as a draft that says that it is not proved.

It ends a session that is still open. If it is cut off, run it again: there is never a second pull request. A branch that has commits of
others is not overwritten. The login is GITHUB_TOKEN, a GitHub App, or that of gh. Labels and reviewers come from the options and from
PULL_REQUEST_LABELS and PULL_REQUEST_REVIEWERS.

Exit code: 0 open, 5 no valid PASS or a branch of others, 6 not reachable, 7 no login or a missing right, 8 a rate limit.
`,
  options: {
    draft: { type: 'boolean', about: 'open it as a draft, also without a valid PASS' },
    base: {
      type: 'string',
      value: 'BRANCH',
      about: 'into which branch (default: the one that the session started from)',
    },
    branch: { type: 'string', value: 'NAME', about: 'the name of the branch (default: dispatch/<sid>)' },
    label: { type: 'string', multiple: true, value: 'NAME', about: 'add this label; may be repeated' },
    reviewer: { type: 'string', multiple: true, value: 'NAME', about: 'ask this person or org/team; may be repeated' },
    closes: {
      type: 'string',
      multiple: true,
      value: 'ISSUE',
      about: 'close this issue when it is merged; may be repeated',
    },
    author: { type: 'string', value: 'WHO', about: 'me (default), worker, or both: you, with the worker as co-author' },
    repo: { type: 'string', value: 'DIR', about: 'the checkout (default: the one that the session started from)' },
    json: { type: 'boolean', about: 'print one JSON object instead of text, and never ask' },
  },
  async run(values, [idOrPart = '']) {
    const { author = 'me', label: labels = [], reviewer: reviewers = [], closes = [] } = values
    if (author !== 'me' && author !== 'worker' && author !== 'both')
      throw new UsageError(`--author must be me, worker or both: "${author}"`)
    const wrong = closes.find(issue => !issuePattern.test(issue))
    if (wrong !== undefined) throw new UsageError(`--closes must be an issue such as 12 or owner/name#12: "${wrong}"`)
    const config = readConfig()
    await refuseAgent('pr')
    const result = await openPullRequest(config, findSession(config.workspace, idOrPart), {
      ...{ base: values.base, branch: values.branch, repo: values.repo, isDraft: values.draft ?? false, author },
      ...{ labels, reviewers, closes: closes.map(issue => (/^\d/.test(issue) ? `#${issue}` : issue)) },
      isAtTerminal: isAtTerminal() && !values.json,
      say: text => process.stderr.write(`${text}\n`),
    })
    if (values.json) print(JSON.stringify(toPullRequestJson(result)))
    else printPullRequest(result)
  },
})
