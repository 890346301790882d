import path from 'node:path'
import { DispatchError, exits, readUntrusted } from '../host/index.ts'
import { readLog } from '../session/index.ts'
import { hashOf } from './human.ts'
import type { Running } from './running.ts'

/**
 * Throws exit 13 unless all that a verdict would rest on is as this session's runners wrote it: every line of the log, and
 * every record of evidence that a line names by its hash. `round` is one that begins, perhaps anew: its own are still to come.
 */
export function vouch({ session, log }: Running, round = Number.POSITIVE_INFINITY): void {
  log.vouch()
  const hashes = new Map<string, string>()
  for (const event of readLog(session.paths.events).events)
    if (event.is === 'check.ran' && event.sha256 !== undefined && event.round < round)
      hashes.set(event.record, event.sha256)
  for (const [record, sha256] of hashes) {
    const bytes = readUntrusted(path.join(session.paths.evidence, `${record}.json`), largest)
    if (bytes && hashOf(bytes) === sha256) continue
    throw new DispatchError(
      `evidence/${record}.json ${bytes ? 'is not what was recorded: somebody has changed it' : 'is gone'}`,
      { exit: exits.integrity },
    )
  }
}

/** More than a record may have: 4 KiB of output, a command and a few hashes. */
const largest = 1024 * 1024
