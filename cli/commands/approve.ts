import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { findSession, refuseNewerFormat } from '#session'
import { defineCommand, UsageError } from '../command.ts'
import { confirmSessionId } from '../input/confirm.ts'
import { findPendingApproval, requirePersonAtTerminal } from '../input/pending-approval.ts'
import { parsePlainText, sendMessage } from '../input/send-message.ts'
import { printPendingContract } from '../output/approval-view.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Shows the contract that awaits approval: each clause, what its check shows before any work, and what has changed since you were
last asked. A session started with --approve seals nothing before you approve. You are also asked when an amendment would weaken
a sealed contract; until you approve it, the sealed contract counts. To approve, you type the last four letters of the id. Only a
person at a terminal can do this.
`,
  options: {
    no: { type: 'string', value: 'REASON', about: 'decline it, and send the reason to the orchestrator' },
  },
  async run(values, [idOrPart = '']) {
    const config = readConfig()
    const session = findSession(config.workspace, idOrPart)
    refuseNewerFormat(session)
    await requirePersonAtTerminal(session, config)
    const sha256 = findPendingApproval(session)
    if (values.no !== undefined) {
      const reason = parsePlainText(Buffer.from(values.no)).trim()
      if (reason === '') throw new UsageError('--no needs a reason')
      print(await sendMessage(session, config, { kind: 'decline', sha256, reason }, REPLY_TIMEOUT_SECONDS))
      return exitCodes.ok
    }
    printPendingContract(session, sha256)
    if (!(await confirmSessionId(session, '\nApprove exactly this contract?'))) {
      const decline = `dispatch approve ${session.id.slice(-4)} --no "…"`
      print(`Not approved, and nothing has changed. To decline with a reason: ${decline}`)
      return exitCodes.conflict
    }
    print(await sendMessage(session, config, { kind: 'approve', sha256 }, REPLY_TIMEOUT_SECONDS))
    return exitCodes.ok
  },
})

const REPLY_TIMEOUT_SECONDS = 30
