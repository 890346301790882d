import { DispatchError, exitCodes } from '#host/error.ts'
import { readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { readLog } from '#session/log'
import type { RunnerContext } from '../context.ts'

/** More than a record can have: 4 KiB of output, a command and some hashes. */
const MAX_RECORD_BYTES = 1024 * 1024

/**
 * Throw exit 13 unless everything that a verdict is based on is as this session's runners wrote it: every line of the log, and
 * every evidence record that a line names by its hash. Records of `round` and later rounds are not checked: a round that starts,
 * perhaps for the second time, still writes its own.
 */
export function verifyRecord({ session, log }: RunnerContext, round = Number.POSITIVE_INFINITY): void {
  log.requireIntact()
  const expected = new Map<string, string>()
  for (const event of readLog(session.paths.events).events)
    if (event.type === 'check.ran' && event.sha256 !== undefined && event.round < round)
      expected.set(event.recordId, event.sha256)
  for (const [recordId, hash] of expected) {
    const bytes = readUntrusted(session.paths.evidenceRecord(recordId), MAX_RECORD_BYTES)
    if (bytes && sha256(bytes) === hash) continue
    const damage = bytes ? 'was changed after it was recorded' : 'is missing'
    throw new DispatchError(`${session.paths.evidenceRecord(recordId)} ${damage}`, {
      exitCode: exitCodes.integrity,
      remedy: `To see what else was changed: dispatch audit ${session.id.slice(-4)}`,
    })
  }
}
