import type { Config } from '#host/config'
import { redactAll } from '#host/secrets'
import { describeVoidReason, listChangesSinceVerdict } from '#session/repository'
import { listSessionSecrets } from '#session/secrets'
import type { SessionView } from '#session/status'
import { type Matrix, readMatrix, voidMatrix } from '#session/traceability'

/** The matrix of a session as others may read it: as it is now, and without secrets. */
export async function readPublishedMatrix(config: Config, view: SessionView): Promise<Matrix> {
  // The work may have changed without a runner that records it.
  const voidReason = describeVoidReason(await listChangesSinceVerdict(view.session.paths, view.status))
  const recorded = readMatrix(view)
  const current = voidReason === undefined ? recorded : voidMatrix(recorded, voidReason)
  return redactAll(current, listSessionSecrets(config, view.session.paths))
}
