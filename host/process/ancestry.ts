import fs from 'node:fs'
import { runProgram } from '../exec.ts'
import { readIfPresent } from '../fs/files.ts'

/** A process as far as it tells where it comes from. */
export interface ProcessAncestor {
  pid: number
  parentPid: number
  /** Its controlling terminal, such as `/dev/pts/4`; undefined without one. */
  terminal: string | undefined
  /** Its environment at its start (Darwin: with its command line before it), as `NAME=value` words. */
  environment: string[]
  /** May it no longer gain privileges? What the kernel once says of a process, it says of all that stem from it. */
  hasNoNewPrivileges: boolean
}

/** What makes a process an agent's. */
export interface AgentMarks {
  /** Names that stand in the environment of every agent of ours. */
  variableNames: string[]
  /** Terminals in which agents run. */
  terminals: string[]
  /** Are agents of this session bound by the kernel, and people are not? */
  hasNoNewPrivileges: boolean
}

/** The process and its ancestors, nearest first, up to process 1 or to one that cannot be looked at. */
export async function listAncestors(pid: number): Promise<ProcessAncestor[]> {
  const kin: ProcessAncestor[] = []
  for (let next = pid; next > 1 && kin.length < 100; ) {
    const one = process.platform === 'linux' ? readLinuxAncestor(next) : await readDarwinAncestor(next)
    if (one === undefined || kin.some(known => known.pid === one.pid)) break
    kin.push(one)
    next = one.parentPid
  }
  return kin
}

/** Why a process is no person's, by what it stems from; undefined when nothing speaks against it. Pure. */
export function explainAgent(lineage: ProcessAncestor[], marks: AgentMarks): string | undefined {
  const [own] = lineage
  if (own === undefined) return 'its process is not to be seen'
  for (const kin of lineage) {
    const name = marks.variableNames.find(mark => kin.environment.some(word => word.startsWith(`${mark}=`)))
    if (name !== undefined)
      return `${name} is set in ${kin === own ? 'its environment' : `process ${kin.pid} above it`}`
    if (kin.terminal !== undefined && marks.terminals.includes(kin.terminal))
      return `it runs in ${kin.terminal}, a terminal of dispatch's own`
  }
  return marks.hasNoNewPrivileges && own.hasNoNewPrivileges
    ? 'it was started by an agent of this session (the kernel says so)'
    : undefined
}

/** Does this process hold this very file open? Undefined where the machine does not say. */
export function hasFileOpen(pid: number, file: string): boolean | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const wanted = fs.statSync(file)
    return fs.readdirSync(`/proc/${pid}/fd`).some(name => {
      const found = fs.statSync(`/proc/${pid}/fd/${name}`, { throwIfNoEntry: false })
      return found?.ino === wanted.ino && found.dev === wanted.dev
    })
  } catch {
    return false // Gone, or somebody else's.
  }
}

/**
 * A launch that binds what it starts (`no_new_privs`): no child can undo that, however it forks or cleans its environment.
 * Where there is no `setpriv` (macOS) it starts all the same, unbound.
 */
export function buildUnprivilegedCommand(script: string): string[] {
  const line = 'setpriv --no-new-privs true 2>/dev/null && exec setpriv --no-new-privs /bin/sh "$0"; exec /bin/sh "$0"'
  return ['/bin/sh', '-c', line, script]
}

/** Fields of `/proc/<pid>/stat` behind the name: parent and controlling terminal. */
export function parseLinuxStat(stat: string): { parentPid: number; terminal: string | undefined } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { parentPid: Number(fields[1]), terminal: parseTerminalDevice(Number(fields[4])) }
}

/** A row of `ps -Eww -o pid=,ppid=,tty=,command=` on Darwin; a blank inside a value splits it, which hides no name. */
export function parseDarwinAncestor(text: string): ProcessAncestor | undefined {
  const [pid, parent, terminal, ...environment] = text.trim().split(/\s+/)
  if (pid === undefined || parent === undefined || terminal === undefined) return undefined
  return {
    pid: Number(pid),
    parentPid: Number(parent),
    terminal: /^\?+$/.test(terminal) ? undefined : `/dev/${terminal.replace(/^\/dev\//, '')}`,
    environment,
    hasNoNewPrivileges: false,
  }
}

function readLinuxAncestor(pid: number): ProcessAncestor | undefined {
  const stat = readIfPresent(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  return {
    pid,
    ...parseLinuxStat(stat),
    environment: readProcFile(`/proc/${pid}/environ`).split('\0'),
    hasNoNewPrivileges: /^NoNewPrivs:\s*1$/m.test(readProcFile(`/proc/${pid}/status`)),
  }
}

/** Device numbers as the kernel packs them; pseudo terminals are majors 136 to 143, consoles major 4. */
function parseTerminalDevice(device: number): string | undefined {
  const major = (device >> 8) & 0xfff
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00)
  if (major >= 136 && major <= 143) return `/dev/pts/${(major - 136) * 256 + minor}`
  return device === 0 ? undefined : `device ${major}:${minor}`
}

async function readDarwinAncestor(pid: number): Promise<ProcessAncestor | undefined> {
  const ran = await runProgram('ps', ['-Eww', '-o', 'pid=,ppid=,tty=,command=', '-p', String(pid)], {
    env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
  })
  return ran.exitCode === 0 ? parseDarwinAncestor(ran.stdout) : undefined
}

function readProcFile(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1')
  } catch {
    return '' // Gone, or another user's: what is not ours to see is not an agent's either.
  }
}
