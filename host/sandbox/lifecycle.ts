import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { signalExitCodes } from '../error.ts'
import { listNames, readIfPresent } from '../fs/files.ts'
import { readPlaceTag } from '../process/place.ts'
import { isPidTaken, listPids, readProcFile, sendSignal } from '../process/proc.ts'

export const SOCKET_FOLDER_PREFIX = 'dsp'

/**
 * Forward signals to the sandbox; returns the function that stops it. The kernel sends SIGWINCH only to the session of
 * the terminal, and the sandbox has its own session, so a new size is forwarded to every process in it.
 */
export function forwardSignals(child: ChildProcess): () => void {
  const forwarded = (Object.keys(signalExitCodes) as NodeJS.Signals[]).map(
    signal => [signal, () => void child.kill(signal)] as const,
  )
  const forwardResize = () => {
    for (const pid of listDescendants(child.pid ?? 0)) sendSignal(pid, 'SIGWINCH')
  }
  const listeners = [...forwarded, ['SIGWINCH', forwardResize] as const]
  for (const [signal, listener] of listeners) process.on(signal, listener)
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
}

/**
 * The `stdio` entries from file descriptor 4 on. Files that the parent left open would be open in the sandbox too, and
 * one may be a folder of the host. `nullFd` replaces them; the other entries are ignored. macOS closes such files by
 * itself.
 */
export function buildStdioFillers(nullFd: number): (number | 'ignore')[] {
  const inherited = listInheritableFiles().filter(fd => fd > LAST_USED_FD)
  return Array.from({ length: Math.max(LAST_USED_FD, ...inherited) - LAST_USED_FD }, (_, index) =>
    inherited.includes(index + LAST_USED_FD + 1) ? nullFd : 'ignore',
  )
}

/**
 * Clean up after sandboxes that were killed by SIGKILL: end their socat relays, which nothing can use any more, and
 * remove their folders. The name of a folder contains the pid of its owner, and the place where that pid means something: a
 * folder for temporary files may be shared by containers.
 */
export function removeStaleSandboxes(tempFolder: string): void {
  const pattern = new RegExp(`^${SOCKET_FOLDER_PREFIX}${readPlaceTag()}-(\\d+)-\\w+$`)
  for (const name of listNames(tempFolder)) {
    const ownerPid = pattern.exec(name)?.[1]
    const folder = path.join(tempFolder, name)
    if (ownerPid === undefined || isPidTaken(Number(ownerPid))) continue
    if (fs.lstatSync(folder, { throwIfNoEntry: false })?.uid !== process.geteuid?.()) continue
    for (const pid of listPids()) {
      const commandLine = readProcFile(pid, 'cmdline')
      const isRelay = /^(\S*\/)?socat\0/.test(commandLine) && commandLine.includes(`UNIX-LISTEN:${folder}/`)
      if (isRelay) sendSignal(pid, 'SIGTERM')
    }
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

// --- internal ---

/** stdin, stdout, stderr, and the file descriptor on which the sandbox reports that the command starts. */
const LAST_USED_FD = 3

const O_CLOEXEC = 0o2000000

/** The file descriptors that a child would inherit, because they lack O_CLOEXEC. Empty where there is no /proc. */
function listInheritableFiles(): number[] {
  return listNames('/proc/self/fdinfo').flatMap(name => {
    const flags = /^flags:\s+(\d+)/m.exec(readIfPresent(`/proc/self/fdinfo/${name}`) ?? '')?.[1]
    return flags === undefined || Number.parseInt(flags, 8) & O_CLOEXEC ? [] : [Number(name)]
  })
}

/** Empty on macOS, where the sandbox shares the session of the terminal. */
function listDescendants(pid: number): number[] {
  const children = listNames(`/proc/${pid}/task`).flatMap(task => readProcFile(pid, `task/${task}/children`).split(' '))
  return children.filter(Boolean).flatMap(child => [Number(child), ...listDescendants(Number(child))])
}
