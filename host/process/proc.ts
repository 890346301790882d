import fs from 'node:fs'
import { isErrno } from '../error.ts'
import { listNames } from '../fs/files.ts'

/** The pids of every process on Linux; empty where there is no /proc. */
export function listPids(): number[] {
  return listNames('/proc').map(Number).filter(Number.isInteger)
}

/** A file in `/proc/<pid>`; empty when the process has ended or belongs to another user. */
export function readProcFile(pid: number, name: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

/** The fields of `/proc/<pid>/stat` from the state on, which follow the name in brackets. Pure. */
export function splitStat(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/**
 * Does a process with this pid run? It may be another one than before. One that has ended, and that its parent has not asked for
 * yet, does not: tmux may leave it so for seconds.
 */
export function hasProcess(pid: number): boolean {
  return isPidTaken(pid) && splitStat(readProcFile(pid, 'stat'))[0] !== 'Z'
}

/** Does the system know this pid, be it of a process that has ended and that its parent has not asked for yet? */
export function isPidTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !isErrno(error, 'ESRCH')
  }
}

/** Send a signal to a process, or to the group `-pid`. One that has ended or belongs to another user is left alone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {} // It has ended, or belongs to another user.
}
