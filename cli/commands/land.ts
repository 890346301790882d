import { readConfig } from '#host/config'
import { type ExitCode, exitCodes } from '#host/error.ts'
import { findSession } from '#session'
import { landingMethods } from '#session/landing'
import { defineCommand, UsageError } from '../command.ts'
import { isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { getLandingExitCode, landSessions } from '../landing/land.ts'
import { printLanding, toLandingJson } from '../output/landing-view.ts'
import { print } from '../output/terminal.ts'

const authors = ['me', 'worker', 'both'] as const

export const command = defineCommand({
  about: `
Brings the judged work onto the branch of your remote that people use. The newest state of the branch is fetched into the session's
own repository, and the work is put on top of it there: your checkout is not touched. If that gives another tree than the judged one,
all of it is proved again on that tree: the checks of the contract, its scopes, and the judge. The gates in .dispatch.json of the
branch must be green too. Then exactly that commit is pushed, without force. If the branch has moved meanwhile, it begins again.

Only a valid PASS lands. What does not merge is never resolved by itself: you get the files, and the command for a new attempt. The
commit is yours, signed if commit.gpgSign says so, and names session, verdict and judged tree. No hook of your repository runs.

Landing ends a session that is still open. Several sessions land one after the other, the one with the fewest files first.

Exit code: 0 landed, 3 something is red on the new tree, 5 conflict, stale or refused, 12 the judge gave no answer.
`,
  usage: 'land <sid…> [options]',
  options: {
    into: { type: 'string', value: 'BRANCH', about: 'the branch (default: the one that the session started from)' },
    method: { type: 'string', value: 'HOW', about: 'squash (default), rebase (commit by commit) or merge' },
    author: { type: 'string', value: 'WHO', about: 'me (default), worker, or both: you, with the worker as co-author' },
    order: { type: 'boolean', about: 'land in the order in which the sessions are named' },
    'dry-run': { type: 'boolean', about: 'find out all of it, and push nothing' },
    push: { type: 'boolean', about: 'push to the branch (this is the default)' },
    repo: { type: 'string', value: 'DIR', about: 'the checkout (default: the one that the session started from)' },
    json: { type: 'boolean', about: 'print one JSON object a line instead of text, and never ask' },
  },
  async run(values, idsOrParts) {
    const { method = 'squash', author = 'me' } = values
    const isDryRun = values['dry-run'] ?? false
    if (idsOrParts.length === 0) throw new UsageError('no session is named', 'Name one: dispatch land <sid>')
    if (!isOneOf(landingMethods, method)) throw new UsageError(`--method must be squash, rebase or merge: "${method}"`)
    if (!isOneOf(authors, author)) throw new UsageError(`--author must be me, worker or both: "${author}"`)
    if (values.push && isDryRun) throw new UsageError('--push and --dry-run exclude each other')
    const config = readConfig()
    await refuseAgent('land')
    const sessions = idsOrParts.map(idOrPart => findSession(config.workspace, idOrPart))
    const codes: ExitCode[] = []
    for await (const result of landSessions(config, sessions, {
      ...{ method, author, isDryRun, into: values.into, repo: values.repo, keepsOrder: values.order ?? false },
      isAtTerminal: isAtTerminal() && !values.json,
      say: text => process.stderr.write(`${text}\n`),
    })) {
      if (values.json) print(JSON.stringify(toLandingJson(result)))
      else printLanding(result, isDryRun)
      codes.push(getLandingExitCode(result, isDryRun))
    }
    return codes.find(code => code !== exitCodes.ok) ?? exitCodes.ok
  },
})

function isOneOf<Word extends string>(words: readonly Word[], word: string): word is Word {
  return words.some(each => each === word)
}
