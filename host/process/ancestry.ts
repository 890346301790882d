import fs from 'node:fs'
import { runProgram } from '../exec.ts'
import { locateSystemProgram } from '../system-program.ts'
import { readProcFile, splitStat } from './proc.ts'

/** A process, with what shows where it comes from. */
export interface ProcessAncestor {
  pid: number
  parentPid: number
  /** Its controlling terminal, such as `/dev/pts/4`; undefined without one. */
  terminal: string | undefined
  /** Its environment when it started, as `NAME=value` words. On macOS the command line comes before them. */
  environment: string[]
  /** Is `no_new_privs` set? Once set by the kernel, it holds for every descendant. */
  hasNoNewPrivileges: boolean
}

/** What marks a process as an agent's. */
export interface AgentMarks {
  /** Variables that every agent has in its environment. */
  variableNames: string[]
  /** Terminals in which agents run. */
  terminals: string[]
  /** Does `no_new_privs` tell agents of this session from people? */
  hasNoNewPrivileges: boolean
}

/** The process and its ancestors, nearest first, up to process 1 or to a process that cannot be read. */
export async function listAncestors(pid: number): Promise<ProcessAncestor[]> {
  const ancestors: ProcessAncestor[] = []
  for (let nextPid = pid; nextPid > 1 && ancestors.length < MAX_ANCESTORS; ) {
    const ancestor = process.platform === 'linux' ? readLinuxAncestor(nextPid) : await readDarwinAncestor(nextPid)
    if (ancestor === undefined || ancestors.some(known => known.pid === ancestor.pid)) break
    ancestors.push(ancestor)
    nextPid = ancestor.parentPid
  }
  return ancestors
}

/** Why a process belongs to an agent and not to a person, by its ancestors; undefined when nothing shows that. Pure. */
export function explainAgent(ancestors: ProcessAncestor[], marks: AgentMarks): string | undefined {
  const [self] = ancestors
  if (self === undefined) return 'its process cannot be read'
  for (const ancestor of ancestors) {
    const name = marks.variableNames.find(mark => ancestor.environment.some(word => word.startsWith(`${mark}=`)))
    if (name !== undefined)
      return `${name} is set in ${ancestor === self ? 'its environment' : `process ${ancestor.pid} above it`}`
    if (ancestor.terminal !== undefined && marks.terminals.includes(ancestor.terminal))
      return `it runs in ${ancestor.terminal}, a terminal that dispatch opened`
  }
  return marks.hasNoNewPrivileges && self.hasNoNewPrivileges
    ? 'an agent of this session started it (no_new_privs is set)'
    : undefined
}

/** Does this process have this very file open? Undefined where the system does not tell. */
export function hasFileOpen(pid: number, file: string): boolean | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const expected = fs.statSync(file)
    return fs.readdirSync(`/proc/${pid}/fd`).some(name => {
      const open = fs.statSync(`/proc/${pid}/fd/${name}`, { throwIfNoEntry: false })
      return open?.ino === expected.ino && open.dev === expected.dev
    })
  } catch {
    return false // It has ended, or belongs to another user.
  }
}

/**
 * The command that runs a script with `no_new_privs` set. No descendant can undo that, however it forks or cleans its
 * environment. Without `setpriv` (macOS) the script runs all the same, without the mark.
 */
export function buildUnprivilegedCommand(script: string): string[] {
  const line = 'setpriv --no-new-privs true 2>/dev/null && exec setpriv --no-new-privs /bin/sh "$0"; exec /bin/sh "$0"'
  return ['/bin/sh', '-c', line, script]
}

/** Parent and controlling terminal in `/proc/<pid>/stat`. Pure. */
export function parseLinuxStat(stat: string): Pick<ProcessAncestor, 'parentPid' | 'terminal'> {
  const [, parentPid, , , terminal] = splitStat(stat)
  return { parentPid: Number(parentPid), terminal: parseTerminalDevice(Number(terminal)) }
}

/** A row of `ps`; undefined for an empty one. A blank in a value splits the value, which hides no name. Pure. */
export function parseDarwinAncestor(text: string): ProcessAncestor | undefined {
  const [pid, parentPid, terminal, ...environment] = text.trim().split(/\s+/)
  if (pid === undefined || parentPid === undefined || terminal === undefined) return undefined
  return {
    pid: Number(pid),
    parentPid: Number(parentPid),
    terminal: /^\?+$/.test(terminal) ? undefined : `/dev/${terminal.replace(/^\/dev\//, '')}`,
    environment,
    hasNoNewPrivileges: false,
  }
}

// --- internal ---

const MAX_ANCESTORS = 100

function readLinuxAncestor(pid: number): ProcessAncestor | undefined {
  const stat = readProcFile(pid, 'stat')
  if (stat === '') return undefined
  return {
    pid,
    ...parseLinuxStat(stat),
    environment: readProcFile(pid, 'environ').split('\0'), // Empty for another user's. Agents run as this user.
    hasNoNewPrivileges: /^NoNewPrivs:\s*1$/m.test(readProcFile(pid, 'status')),
  }
}

/** Device numbers as the kernel packs them. Majors 136 to 143 are pseudo terminals, major 4 is a console. */
function parseTerminalDevice(device: number): string | undefined {
  const major = (device >> 8) & 0xfff
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00)
  if (major >= 136 && major <= 143) return `/dev/pts/${(major - 136) * 256 + minor}`
  return device === 0 ? undefined : `device ${major}:${minor}`
}

async function readDarwinAncestor(pid: number): Promise<ProcessAncestor | undefined> {
  const result = await runProgram(
    locateSystemProgram('ps'),
    ['-Eww', '-o', 'pid=,ppid=,tty=,command=', '-p', String(pid)],
    {
      env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
    },
  )
  return result.exitCode === 0 ? parseDarwinAncestor(result.stdout) : undefined
}
