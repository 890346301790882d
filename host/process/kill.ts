import { runProgram } from '../exec.ts'
import { locateSystemProgram } from '../system-program.ts'
import { hasSameStart, identify, locateProcess, type ProcessIdentity } from './identity.ts'
import { listPids, readProcFile, sendSignal, splitStat } from './proc.ts'

/** One row of the process table. */
export interface ProcessRow {
  pid: number
  parentPid: number
  groupId: number
  sessionId: number
}

/**
 * Send a signal to a process and its tree: its descendants, the members of its session and of its group, and (Linux)
 * every process with `marker` (`NAME=value`) in its environment. The marker finds a daemon that left the tree. Returns
 * how many processes got the signal; this process never does. Process 1 is refused as a root, because its tree is every
 * process. When another process has the pid of `target` by now, only the marker counts.
 */
export async function killProcessTree(
  target: ProcessIdentity | number,
  marker: string,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<number> {
  return signalTree(target, marker, signal, false)
}

/** Kill the tree of a process in the same way, and leave that process itself alone. */
export async function killBelow(target: ProcessIdentity, marker: string): Promise<number> {
  return signalTree(target, marker, 'SIGKILL', true)
}

/** The pids of every process that descends from `rootPid`, or shares its session or group. Pure. */
export function listProcessTree(rows: ProcessRow[], rootPid: number): Set<number> {
  const members = new Set(
    rows.filter(row => row.pid === rootPid || row.sessionId === rootPid || row.groupId === rootPid).map(row => row.pid),
  )
  for (let hasGrown = true; hasGrown; ) {
    hasGrown = false
    for (const row of rows) {
      if (!members.has(row.pid) && members.has(row.parentPid)) hasGrown = Boolean(members.add(row.pid))
    }
  }
  return members
}

/** The rows of `ps -axo pid=,ppid=,pgid=,sess=`. macOS prints 0 for the session, which becomes -1. Pure. */
export function parseProcessTable(text: string): ProcessRow[] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const [pid = 0, parentPid = 0, groupId = 0, session = 0] = line.trim().split(/\s+/).map(Number)
      return { pid, parentPid, groupId, sessionId: session || -1 }
    })
}

// --- internal ---

async function signalTree(
  target: ProcessIdentity | number,
  marker: string,
  signal: NodeJS.Signals,
  isRootSpared: boolean,
): Promise<number> {
  const rootPid = typeof target === 'number' ? target : await findRootPid(target)
  const rows = await readProcessTable()
  const members = rootPid > 1 ? listProcessTree(rows, rootPid) : new Set<number>()
  if (process.platform === 'linux' && marker !== '')
    for (const { pid } of rows) if (readProcFile(pid, 'environ').split('\0').includes(marker)) members.add(pid)
  members.delete(process.pid)
  if (isRootSpared) members.delete(rootPid)
  for (const pid of members) sendSignal(pid, signal)
  return members.size
}

/** The pid of this process, also when it has ended; 0 when another process has that pid now. */
async function findRootPid(identity: ProcessIdentity): Promise<number> {
  const current = await identify(identity.pid)
  const isReused = current !== undefined && !(await hasSameStart(identity, current))
  return (await locateProcess(identity)) === 'here' && !isReused ? identity.pid : 0
}

async function readProcessTable(): Promise<ProcessRow[]> {
  if (process.platform !== 'linux')
    return parseProcessTable((await runProgram(locateSystemProgram('ps'), ['-axo', 'pid=,ppid=,pgid=,sess='])).stdout)
  return listPids().flatMap(pid => {
    const [state, ...ids] = splitStat(readProcFile(pid, 'stat'))
    const [parentPid = 0, groupId = 0, sessionId = 0] = ids.map(Number)
    return ids.length === 0 || state === 'Z' ? [] : [{ pid, parentPid, groupId, sessionId }]
  })
}
