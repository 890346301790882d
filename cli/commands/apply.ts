import { readConfig } from '#host/config'
import { measureDivergence } from '#host/git'
import { applyWork, findApplied, findTargetRepository, findWorkToApply, refuseNewerFormat, styleWork } from '#session'
import { listSessionSecrets } from '#session/secrets'
import { readView } from '#session/status'
import { defineCommand } from '../command.ts'
import { chooseHooks, confirmWarning, readApplyStyle } from '../input/apply-options.ts'
import { isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { pickSession } from '../input/session.ts'
import { printApplyResult, toJson } from '../output/apply-view.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Fetches the judged commit into your repository as a new branch. Your checkout, index and current branch are not changed. Commit
and tree are compared with the verdict before and after. A valid PASS is applied at once; anything else asks first (in scripts:
--anyway). Then it prints what has changed in your repository since, and how to review and merge the work.

With --squash the branch has one commit in your name, on top of the commit that the work started from. Its message has the
task, the verdict and the clauses that were proved. Your own git makes it, so it is signed if commit.gpgSign says so; for a
password you are asked at the terminal only. --author me brings the workers' commits, each in your name and signed the same
way. Your commit hooks can run code that agents wrote: with --squash you are asked before they run, and in scripts they run
only with --hooks. The tree is the judged one in every case, or nothing is applied.
`,
  options: {
    squash: { type: 'boolean', about: 'one commit in your name, with a message made from task and verdict' },
    author: { type: 'string', value: 'me', about: "the workers' commits, in your name" },
    hooks: { type: 'boolean', about: 'with --squash: run your commit hooks, and do not ask' },
    'no-hooks': { type: 'boolean', about: 'with --squash: run no hooks, and do not ask' },
    branch: { type: 'string', value: 'NAME', about: 'the name of the branch (default: dispatch/<sid>)' },
    repo: { type: 'string', value: 'DIR', about: 'the target repository (default: the one the session started from)' },
    anyway: { type: 'boolean', about: 'do not ask when there is no valid PASS' },
    json: { type: 'boolean', about: 'print one JSON object instead of text, and never ask' },
  },
  async run(values, [idOrPart]) {
    const style = readApplyStyle(values)
    const config = readConfig()
    const session = pickSession(config, idOrPart)
    await refuseAgent('apply')
    refuseNewerFormat(session)
    const { status } = await readView(session)
    const work = await findWorkToApply(session, status)
    const checkout = await findTargetRepository(session, values.repo, [config.home, config.cloneFolder])
    const branch = values.branch ?? `dispatch/${session.id}`
    const canAsk = isAtTerminal() && !values.json
    const existing = await findApplied(session, work, checkout, branch, style)
    if (existing === undefined && work.warning !== undefined && !values.anyway)
      await confirmWarning(session, work.warning, canAsk)
    const hooks =
      existing === undefined && style === 'squashed' ? await chooseHooks(checkout.path, values, canAsk) : undefined
    const options = {
      style,
      hooks: hooks?.run ? hooks.found : undefined,
      isAtTerminal: canAsk,
      secrets: listSessionSecrets(config, session.paths),
    }
    const rewrite = () => styleWork(session, status, work, checkout.path, options)
    const commit = existing ?? (await applyWork(session, work, checkout, branch, rewrite))
    const divergence = await measureDivergence(checkout, commit, work.base)
    const result = {
      ...{ session, verdict: status.verdict, work, checkout, branch, style, commit, hooks, divergence },
      alreadyExists: existing !== undefined,
    }
    if (values.json) print(JSON.stringify(toJson(result)))
    else printApplyResult(result)
  },
})
