import { z } from 'zod'
import { isErrno } from '../error.ts'
import { runProgram } from '../exec.ts'
import { readIfPresent } from '../fs/files.ts'
import { locateSystemProgram } from '../system-program.ts'
import { locate, Place, readPlace, requireAnswer } from './place.ts'
import { splitStat } from './proc.ts'

/**
 * Which process this is, as every record on disk has it. A pid is reused; a pid with its start time, its boot and its place is
 * not. Records of an older dispatch have no place.
 */
export const ProcessIdentity = z.object({
  pid: z.number(),
  startTime: z.string(),
  bootId: z.string(),
  place: Place.optional(),
})

export type ProcessIdentity = z.infer<typeof ProcessIdentity>

/** `elsewhere`: it belongs to another machine or container, so nothing is known about it here. */
export type Liveness = 'alive' | 'dead' | 'unknown' | 'elsewhere'

/** The identity of the process that has this pid now; undefined when there is no such process. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime =
    process.platform === 'linux' ? parseLinuxStart(readIfPresent(`/proc/${pid}/stat`)) : await readDarwinStart(pid)
  return startTime === undefined ? undefined : { pid, startTime, bootId: await readBootId(), place: readPlace() }
}

/**
 * Does this very process still run? `unknown` when the system does not tell, `elsewhere` when it is not a process of this
 * system; never kill or clean up on either.
 */
export async function checkLiveness(identity: ProcessIdentity): Promise<Liveness> {
  try {
    const location = await locateProcess(identity)
    if (location === 'elsewhere') return 'elsewhere'
    const current = location === 'here' ? await identify(identity.pid) : undefined
    return current && (await hasSameStart(identity, current)) ? 'alive' : 'dead'
  } catch {
    return 'unknown'
  }
}

/** Are these two the same process, as far as the start tells? Records of an older dispatch have it in the zone of the Mac. */
export async function hasSameStart(recorded: ProcessIdentity, current: ProcessIdentity): Promise<boolean> {
  if (current.startTime === recorded.startTime) return true
  return process.platform !== 'linux' && (await readDarwinStart(current.pid, true)) === recorded.startTime
}

/** May this process still run, as far as can be told without waiting? On macOS another process with its pid counts too. */
export function mayRun({ pid, startTime }: ProcessIdentity): boolean {
  if (process.platform === 'linux') return parseLinuxStart(readIfPresent(`/proc/${pid}/stat`)) === startTime
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return isErrno(error, 'EPERM')
  }
}

/** Is this a process of this boot of this system, of an earlier boot, or of another system? */
export async function locateProcess(identity: ProcessIdentity): Promise<ReturnType<typeof locate>> {
  return locate(identity, { bootId: await readBootId(), place: readPlace() })
}

/**
 * An id of the current boot: a UUID. On macOS the time of the boot would not do, because it moves when the clock is set.
 */
export function readBootId(): Promise<string> {
  bootId ??=
    process.platform === 'linux'
      ? Promise.resolve(readIfPresent('/proc/sys/kernel/random/boot_id')?.trim() ?? '')
      : readDarwinBoot()
  bootId.catch(() => {
    bootId = undefined // It is asked again the next time.
  })
  return bootId
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

/**
 * How a Mac is asked when a process started. `ps` prints the time in the zone of now, and a laptop that travels changes that, so
 * the zone is fixed; `isLocal` asks in that of the machine. Pure.
 */
export function buildStartQuestion(pid: number, isLocal = false) {
  return {
    program: locateSystemProgram('ps', 'darwin'),
    args: ['-o', 'lstart=,state=', '-p', String(pid)],
    env: { LC_ALL: 'C', ...(isLocal ? {} : { TZ: 'UTC' }) },
  }
}

// --- internal ---

let bootId: Promise<string> | undefined

/** It is not on every PATH, and another program of that name must not answer. */
const SYSCTL = '/usr/sbin/sysctl'

async function readDarwinBoot(): Promise<string> {
  const { stdout } = await runProgram(SYSCTL, ['-n', 'kern.bootsessionuuid'])
  return requireAnswer(stdout.trim(), SYSCTL)
}

async function readDarwinStart(pid: number, isLocal = false): Promise<string | undefined> {
  const { program, args, env } = buildStartQuestion(pid, isLocal)
  const result = await runProgram(program, args, { env })
  if (result.startError) throw new Error('ps cannot be run')
  return parseDarwinStart(result.stdout)
}
