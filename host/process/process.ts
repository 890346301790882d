import fs from 'node:fs'
import { runProgram } from '../exec.ts'
import { readIfPresent } from '../fs/files.ts'

/** Who a process is: a number alone is reused, a number with its start and the boot it belongs to is not. */
export interface ProcessIdentity {
  pid: number
  startTime: string
  bootId: string
}

export type Liveness = 'alive' | 'dead' | 'unknown'

/** One row of the process table. */
export interface ProcessRow {
  pid: number
  parentPid: number
  groupId: number
  sessionId: number
}

/** This machine's facts about processes: `/proc` on Linux, `ps` and `sysctl` elsewhere. */
const isLinux = process.platform === 'linux'

/** Who `pid` is now, or undefined when nobody is. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime = isLinux ? parseLinuxStart(readIfPresent(`/proc/${pid}/stat`)) : await readDarwinStart(pid)
  return startTime === undefined ? undefined : { pid, startTime, bootId: await readBootId() }
}

/** Is this very process still there? Unknown when the machine does not say; nobody is ever reaped on unknown. */
export async function checkLiveness(who: ProcessIdentity): Promise<Liveness> {
  try {
    const now = await identify(who.pid)
    return now !== undefined && now.startTime === who.startTime && now.bootId === who.bootId ? 'alive' : 'dead'
  } catch {
    return 'unknown'
  }
}

/**
 * Kill a process and all that stems from it: descendants, members of its session and groups, and (Linux) every process
 * that carries `mark` in its environment, which finds a daemon that left the family. Answers how many were signalled.
 * The family of process 1 is everybody, so it is nobody's to kill; and where the number of `who` was given to somebody
 * else since, only the mark counts.
 */
export async function killProcessTree(
  who: ProcessIdentity | number,
  mark: string,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<number> {
  const root = typeof who === 'number' ? who : await findTreeRoot(who)
  const rows = await readProcessTable()
  const members = root > 1 ? listProcessTree(rows, root) : new Set<number>()
  if (isLinux && mark !== '') for (const row of rows) if (hasMark(row.pid, mark)) members.add(row.pid)
  members.delete(process.pid)
  for (const pid of members) sendSignal(pid, signal)
  return members.size
}

/** The number by which this process's family is known, or 0 when that number is a stranger's now. */
async function findTreeRoot({ pid, startTime, bootId }: ProcessIdentity): Promise<number> {
  const now = await identify(pid)
  return bootId === (await readBootId()) && (now === undefined || now.startTime === startTime) ? pid : 0
}

/** Everybody who descends from `root`, or shares its session or group. Pure. */
export function listProcessTree(rows: ProcessRow[], root: number): Set<number> {
  const members = new Set(
    rows.filter(row => row.pid === root || row.sessionId === root || row.groupId === root).map(row => row.pid),
  )
  for (let grown = true; grown; ) {
    grown = false
    for (const row of rows) {
      if (!members.has(row.pid) && members.has(row.parentPid)) grown = Boolean(members.add(row.pid))
    }
  }
  return members
}

/** The start time (clock ticks since boot) in `/proc/<pid>/stat`; undefined for a zombie or a process on its way out. */
export function parseLinuxStart(stat: string | undefined): string | undefined {
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || ['Z', 'X', 'x'].includes(fields[0] ?? 'X') ? undefined : fields[19]
}

/** Rows of `ps -axo pid=,ppid=,pgid=,sess=`; Darwin prints 0 for the session. */
export function parseProcessTable(text: string): ProcessRow[] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const [pid = 0, parentPid = 0, groupId = 0, session = 0] = line.trim().split(/\s+/).map(Number)
      return { pid, parentPid, groupId, sessionId: session || -1 }
    })
}

/** The start in `ps -o lstart=,state=`: `Sat Nov 21 00:26:06 2026 S+`; undefined for a zombie. */
export function parseDarwinStart(text: string): string | undefined {
  const words = text.trim().split(/\s+/)
  const state = words.pop()
  return words.length < 5 || state === undefined || state.startsWith('Z') ? undefined : words.join(' ')
}

/** The second of boot in `sysctl -n kern.boottime`: `{ sec = 1795000000, usec = 0 } Sat …`. */
export function parseDarwinBoot(text: string): string {
  return /sec = (\d+)/.exec(text)?.[1] ?? text.trim()
}

async function readDarwinStart(pid: number): Promise<string | undefined> {
  const ran = await runProgram('ps', ['-o', 'lstart=,state=', '-p', String(pid)], {
    env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
  })
  if (ran.startError) throw new Error('ps cannot be run')
  return parseDarwinStart(ran.stdout)
}

async function readBootId(): Promise<string> {
  if (isLinux) return readIfPresent('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return parseDarwinBoot((await runProgram('sysctl', ['-n', 'kern.boottime'])).stdout)
}

async function readProcessTable(): Promise<ProcessRow[]> {
  if (!isLinux) return parseProcessTable((await runProgram('ps', ['-axo', 'pid=,ppid=,pgid=,sess='])).stdout)
  return fs
    .readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      const stat = readIfPresent(`/proc/${name}/stat`)
      const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (fields === undefined || fields[0] === 'Z') return []
      return [
        { pid: Number(name), parentPid: Number(fields[1]), groupId: Number(fields[2]), sessionId: Number(fields[3]) },
      ]
    })
}

function hasMark(pid: number, mark: string): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)
  } catch {
    return false // Gone, or somebody else's.
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already, or not ours to end.
  }
}
