import { runProgram } from '../exec.ts'
import { readIfPresent } from '../fs/files.ts'
import { splitStat } from './proc.ts'

/** Which process this is. A pid is reused; a pid with its start time and the boot it belongs to is not. */
export interface ProcessIdentity {
  pid: number
  startTime: string
  bootId: string
}

export type Liveness = 'alive' | 'dead' | 'unknown'

/** The identity of the process that has this pid now; undefined when there is no such process. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime =
    process.platform === 'linux' ? parseLinuxStart(readIfPresent(`/proc/${pid}/stat`)) : await readDarwinStart(pid)
  return startTime === undefined ? undefined : { pid, startTime, bootId: await readBootId() }
}

/** Does this very process still run? `unknown` when the system does not tell; never kill or clean up on `unknown`. */
export async function checkLiveness(identity: ProcessIdentity): Promise<Liveness> {
  try {
    const current = await identify(identity.pid)
    return current?.startTime === identity.startTime && current.bootId === identity.bootId ? 'alive' : 'dead'
  } catch {
    return 'unknown'
  }
}

/** An id of the current boot: a UUID on Linux, the second of the boot on macOS. */
export async function readBootId(): Promise<string> {
  if (process.platform === 'linux') return readIfPresent('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return parseDarwinBoot((await runProgram('sysctl', ['-n', 'kern.boottime'])).stdout)
}

/** The start in `/proc/<pid>/stat`, in clock ticks since boot; undefined for a zombie, or one that is exiting. Pure. */
export function parseLinuxStart(stat = ''): string | undefined {
  const fields = splitStat(stat)
  return ['Z', 'X', 'x'].includes(fields[0] ?? '') ? undefined : fields[19]
}

/** The start time in `ps -o lstart=,state=`, such as `Sat Nov 21 00:26:06 2026 S+`; undefined for a zombie. Pure. */
export function parseDarwinStart(text: string): string | undefined {
  const fields = text.trim().split(/\s+/)
  const state = fields.pop()
  return fields.length < 5 || state === undefined || state.startsWith('Z') ? undefined : fields.join(' ')
}

/** The second of the boot in `sysctl -n kern.boottime`, such as `{ sec = 1795000000, usec = 0 } Sat …`. Pure. */
export function parseDarwinBoot(text: string): string {
  return /sec = (\d+)/.exec(text)?.[1] ?? text.trim()
}

// --- internal ---

async function readDarwinStart(pid: number): Promise<string | undefined> {
  const result = await runProgram('ps', ['-o', 'lstart=,state=', '-p', String(pid)], {
    env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
  })
  if (result.startError) throw new Error('ps cannot be run')
  return parseDarwinStart(result.stdout)
}
