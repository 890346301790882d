import { DispatchError, exitCodes } from '#host/error.ts'
import { findWorkToApply, type WorkToApply } from '../apply.ts'
import type { Session } from '../manifest.ts'
import type { SessionStatus } from '../status/status-types.ts'

/** The work of a session with a valid PASS. Exit 5 without one. */
export async function requirePass(session: Session, status: SessionStatus): Promise<WorkToApply> {
  const work = await findWorkToApply(session, status)
  if (work.warning === undefined) return work
  throw new DispatchError(`session ${session.id} does not land. ${work.warning}`, {
    exitCode: exitCodes.conflict,
    remedy: `Only a valid PASS lands. To look at it: dispatch show ${session.id.slice(-4)}`,
  })
}
