import path from 'node:path'
import { writeAtomic } from '#host/fs'

/** The file that a change of the queue touches, for the daemon to watch. */
export function getWakeFile(home: string): string {
  return path.join(home, 'queue-changed')
}

/** Have the daemon look at the queue now, and not only at its next look. */
export function wakeQueue(home: string): void {
  writeAtomic(getWakeFile(home), `${new Date().toISOString()}\n`)
}
