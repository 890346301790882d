import { runProgram } from './exec.ts'
import { MINUTE_MS } from './time.ts'

/** Have the system write everything to its disks that waits in memory. It may take as long as the disks need, up to a minute. */
export async function writeToDisk(): Promise<void> {
  await runProgram('sync', [], { timeoutMs: MINUTE_MS })
}
