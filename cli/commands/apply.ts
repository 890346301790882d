import { readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { measureDivergence } from '#host/git'
import { sanitize } from '#host/text.ts'
import {
  applyWork,
  findTargetRepository,
  findWorkToApply,
  isAlreadyApplied,
  refuseNewerFormat,
  type Session,
} from '#session'
import { readView } from '#session/status'
import { defineCommand } from '../command.ts'
import { confirmSessionId, isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { pickSession } from '../input/session.ts'
import { printApplyResult, toJson } from '../output/apply-view.ts'
import { formatTitle, paint, print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Fetches the judged commit into your repository as a new branch. Your checkout, index and current branch are not changed. Commit
and tree are compared with the verdict before and after. A valid PASS is applied at once; anything else asks first (in scripts:
--anyway). Then it prints what has changed in your repository since, and how to review and merge the work.
`,
  options: {
    branch: { type: 'string', value: 'NAME', about: 'the name of the branch (default: dispatch/<sid>)' },
    repo: { type: 'string', value: 'DIR', about: 'the target repository (default: the one the session started from)' },
    anyway: { type: 'boolean', about: 'do not ask when there is no valid PASS' },
    json: { type: 'boolean', about: 'print one JSON object instead of text, and never ask' },
  },
  async run(values, [idOrPart]) {
    const config = readConfig()
    const session = pickSession(config, idOrPart)
    await refuseAgent('apply')
    refuseNewerFormat(session)
    const { status } = await readView(session)
    const work = await findWorkToApply(session, status)
    const checkout = await findTargetRepository(session, values.repo, [config.home, config.installFolder])
    const branch = values.branch ?? `dispatch/${session.id}`
    const alreadyExists = await isAlreadyApplied(checkout, branch, work.commit)
    if (!alreadyExists) {
      if (work.warning !== undefined && !values.anyway)
        await confirmWarning(session, work.warning, isAtTerminal() && !values.json)
      await applyWork(session, work, checkout, branch)
    }
    const divergence = await measureDivergence(checkout, work.commit, work.base)
    const result = { session, verdict: status.verdict, work, checkout, branch, alreadyExists, divergence }
    if (values.json) print(JSON.stringify(toJson(result)))
    else printApplyResult(result)
  },
})

/** Ask a person whether to apply work without a valid PASS. Exit 5 for a no, and without a terminal. */
async function confirmWarning(session: Session, warning: string, canAsk: boolean): Promise<void> {
  if (canAsk) print(`${formatTitle(session.id)}\n  ${paint('red', sanitize(warning))}`)
  if (canAsk && (await confirmSessionId(session, '  Apply it anyway?'))) return
  const letters = session.id.slice(-4)
  throw new DispatchError(`${canAsk ? '' : `${sanitize(warning)} `}Nothing was applied.`, {
    exitCode: exitCodes.conflict,
    remedy: `To look at it: dispatch show ${letters}. To apply it anyway: dispatch apply ${letters} --anyway`,
  })
}
