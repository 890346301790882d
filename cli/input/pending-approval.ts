import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { detectAgent } from '#runner'
import type { Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus, isAwaitingApproval, type SessionStatus } from '#session/status'
import { isAtTerminal } from './confirm.ts'

/** The SHA-256 of the contract that awaits approval. Exit 5 when none does. */
export function findPendingApproval({ id, paths, manifest }: Session): string {
  const status = computeStatus(readLog(paths.events).events)
  if (status.approval && isAwaitingApproval(status)) return status.approval.sha256
  const reason = explainNotPending(status, manifest.requiresApproval)
  throw new DispatchError(`session ${id} is not waiting for approval: ${reason}`, { exitCode: exitCodes.conflict })
}

/** Refuse (exit 5) an agent, and a person without a terminal. The runner checks this again; here the answer comes sooner. */
export async function requirePersonAtTerminal(session: Session, config: Config): Promise<void> {
  const sign = await detectAgent(session, config.home, process.pid)
  if (sign !== undefined)
    throw new DispatchError(`an agent cannot approve: ${sign}`, {
      exitCode: exitCodes.conflict,
      remedy: 'Run it yourself, in a terminal that no agent has opened.',
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
