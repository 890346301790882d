import { readConfig } from '#host/config'
import { type ExitCode, exitCodes } from '#host/error.ts'
import { findSession } from '#session'
import { defineCommand } from '../command.ts'
import { isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { parsePullRequestOptions, pullRequestOptions } from '../input/pull-request-options.ts'
import { printFollowed, toFollowedJson } from '../output/followed-view.ts'
import { printPullRequest, toPullRequestJson } from '../output/pull-request-view.ts'
import { print } from '../output/terminal.ts'
import { findNewest } from '../pull-request/newest-session.ts'
import { openPullRequest } from '../pull-request/open.ts'

export const command = defineCommand({
  about: `
Opens a pull request on GitHub with the judged work, or brings the one of the session up to date. The work is pushed as a branch, as
one commit in your name with the judged tree. The pull request says what was asked, what to look at first, and has the matrix from the
task to the verdict, without secrets. What people write around that stays.

Only a valid PASS is opened. With --draft, other work is opened too, as a draft that says that it is not proved.

With --follow, dispatch settles red checks, conflicts, and review comments of owners, members and collaborators, with a new session on
the same branch, at most twice by itself. Each is answered in the pull request. Comments of others are only listed.

It ends a session that is still open. If it is cut off, run it again: there is never a second pull request. A branch that has commits of
others is not overwritten. The login is GITHUB_TOKEN, a GitHub App, or that of gh. Labels and reviewers come from the options and from
PULL_REQUEST_LABELS and PULL_REQUEST_REVIEWERS.

Exit code: 0 open, merged or under way, 5 no valid PASS, closed, or a branch of others, 6 not reachable, 7 no login or a missing right,
8 a rate limit, 12 it needs you.
`,
  options: pullRequestOptions,
  async run(values, [idOrPart = '']) {
    const { follows, ...wish } = parsePullRequestOptions(values)
    const config = readConfig()
    await refuseAgent('pr')
    const session = findNewest(config, findSession(config.workspace, idOrPart))
    const say = (text: string) => void process.stderr.write(`${text}\n`)
    const options = { ...wish, isAtTerminal: isAtTerminal() && !values.json, say }
    if (follows) {
      const { followPullRequest, getFollowExitCode } = await import('../pull-request/follow.ts')
      let exitCode: ExitCode = exitCodes.ok
      for await (const record of followPullRequest(config, session, options)) {
        if (values.json) print(JSON.stringify(toFollowedJson(record)))
        else printFollowed(record)
        exitCode = getFollowExitCode(record)
      }
      return exitCode
    }
    const result = await openPullRequest(config, session, options)
    if (values.json) print(JSON.stringify(toPullRequestJson(result)))
    else printPullRequest(result)
    return exitCodes.ok
  },
})
