import { setTimeout as sleep } from 'node:timers/promises'
import { SECOND_MS } from '../time.ts'
import { checkLiveness, type ProcessIdentity } from './identity.ts'
import { hasProcess, sendSignal } from './proc.ts'

/**
 * End a process, first with SIGTERM and after three seconds with SIGKILL. Returns once it has ended, at the latest three seconds after
 * that. With an identity, the second signal is sent only while it is surely still that process; whether the first may be sent, the
 * caller has checked.
 */
export async function endProcess(target: ProcessIdentity | number): Promise<void> {
  const isNumber = typeof target === 'number'
  const pid = isNumber ? target : target.pid
  const hasEnded = async () => (isNumber ? !hasProcess(pid) : (await checkLiveness(target)) !== 'alive')
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    sendSignal(pid, signal)
    const endMs = performance.now() + PATIENCE_MS // Not by the clock, which may be set back.
    for (; performance.now() < endMs; await sleep(POLL_MS)) if (await hasEnded()) return
  }
}

// --- internal ---

const PATIENCE_MS = 3 * SECOND_MS
const POLL_MS = 20
