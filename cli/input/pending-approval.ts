import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { detectAgent } from '#runner'
import type { Session } from '#session'
import { isAwaitingApproval, type SessionStatus } from '#session/status'
import { isAtTerminal, OWN_TERMINAL_REMEDY } from './confirm.ts'
import { readStatus } from './session.ts'

/** The SHA-256 of the contract that awaits approval. Exit 5 when none does. */
export function findPendingApproval(session: Session): string {
  const status = readStatus(session)
  if (status.approval && isAwaitingApproval(status)) return status.approval.sha256
  const reason = explainNotPending(status, session.manifest.requiresApproval)
  throw new DispatchError(`session ${session.id} is not waiting for approval: ${reason}`, {
    exitCode: exitCodes.conflict,
    remedy: `To see its state: dispatch show ${session.id.slice(-4)}`,
  })
}

/** Refuse (exit 5) an agent, and a person without a terminal. The runner checks this again; here the answer comes sooner. */
export async function requirePersonAtTerminal(session: Session, config: Config): Promise<void> {
  const sign = await detectAgent(session, config.home, process.pid)
  if (sign !== undefined)
    throw new DispatchError(`an agent cannot approve: ${sign}`, {
      exitCode: exitCodes.conflict,
      remedy: OWN_TERMINAL_REMEDY,
    })
  if (!isAtTerminal())
    throw new DispatchError('approving needs a terminal, as standard input and as standard output', {
      exitCode: exitCodes.conflict,
      remedy: `Run it yourself: dispatch approve ${session.id.slice(-4)}`,
    })
}

// --- internal ---

function explainNotPending({ approval, contract }: SessionStatus, requiresApproval: boolean): string {
  if (approval?.state === 'given') return 'its contract is already approved'
  if (approval?.state === 'asked') return 'its orchestrator continued without it, and will ask again'
  if (contract) return 'its contract is already sealed'
  return requiresApproval ? 'its orchestrator has not asked for it yet' : 'it was started without --approve'
}
