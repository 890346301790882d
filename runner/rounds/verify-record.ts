import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readUntrusted } from '#host/fs'
import { readLog } from '#session/log'
import type { RunnerContext } from '../context.ts'
import { computeSha256 } from '../messages/store.ts'

/**
 * Throws exit 13 unless all that a verdict would rest on is as this session's runners wrote it: every line of the log, and
 * every record of evidence that a line names by its hash. `round` is one that begins, perhaps anew: its own are still to come.
 */
export function verifyRecord({ session, log }: RunnerContext, round = Number.POSITIVE_INFINITY): void {
  log.requireIntact()
  const hashes = new Map<string, string>()
  for (const event of readLog(session.paths.events).events)
    if (event.type === 'check.ran' && event.sha256 !== undefined && event.round < round)
      hashes.set(event.recordId, event.sha256)
  for (const [record, sha256] of hashes) {
    const bytes = readUntrusted(path.join(session.paths.evidence, `${record}.json`), MAX_RECORD_BYTES)
    if (bytes && computeSha256(bytes) === sha256) continue
    throw new DispatchError(
      `evidence/${record}.json ${bytes ? 'is not what was recorded: somebody has changed it' : 'is gone'}`,
      { exitCode: exitCodes.integrity },
    )
  }
}

/** More than a record may have: 4 KiB of output, a command and a few hashes. */
const MAX_RECORD_BYTES = 1024 * 1024
