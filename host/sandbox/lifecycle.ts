import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { signalExitCodes } from '../error.ts'
import { listNames, readIfPresent } from '../fs/files.ts'

/** Signals go to the sandbox. The terminal tells its size to its own session only, and inside is another: so we do. */
export function forwardSignals(child: ChildProcess): () => void {
  const passed = (Object.keys(signalExitCodes) as NodeJS.Signals[]).map(
    signal => [signal, () => void child.kill(signal)] as const,
  )
  const all = [...passed, ['SIGWINCH', () => forwardResize(child.pid ?? 0)] as const]
  for (const [signal, act] of all) process.on(signal, act)
  return () => {
    for (const [signal, act] of all) process.off(signal, act)
  }
}

/**
 * What whoever started us left open would be open inside as well, a folder of the host's among it: `nothing` takes those
 * places. The slots in between stay as they are. A Mac closes them by itself.
 */
export function buildStdioFillers(nothing: number): (number | 'ignore')[] {
  const left = listOpenFiles().filter(fd => fd > 3)
  return Array.from({ length: Math.max(3, ...left) - 3 }, (_, at) => (left.includes(at + 4) ? nothing : 'ignore'))
}

/**
 * The relay of a sandbox that was killed outright (SIGKILL) outlives it, with its socket, and nobody can use it any more.
 * Whoever comes next ends it. Its folder's name says whose it was.
 */
export function removeStaleSandboxes(temp: string): void {
  for (const name of listNames(temp)) {
    const owner = /^dsp-(\d+)-\w+$/.exec(name)?.[1]
    const folder = path.join(temp, name)
    if (owner === undefined || fs.existsSync(`/proc/${owner}`) || process.platform !== 'linux') continue
    if (fs.lstatSync(folder, { throwIfNoEntry: false })?.uid !== process.geteuid?.()) continue
    for (const pid of listNames('/proc')
      .filter(entry => /^\d+$/.test(entry))
      .map(Number)) {
      const words = readCommandLine(pid)
      if (/^(\S*\/)?socat\0/.test(words) && words.includes(`UNIX-LISTEN:${folder}/`)) sendSignal(pid, 'SIGTERM')
    }
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

// --- internal ---

/** Files that a program started by us would inherit: those without O_CLOEXEC, as Linux tells it. */
function listOpenFiles(): number[] {
  const closes = 0o2000000
  return listNames('/proc/self/fdinfo').flatMap(name => {
    const flags = /^flags:\s+(\d+)/m.exec(readIfPresent(`/proc/self/fdinfo/${name}`) ?? '')?.[1]
    return flags === undefined || Number.parseInt(flags, 8) & closes ? [] : [Number(name)]
  })
}

function forwardResize(root: number): void {
  for (const pid of listDescendants(root)) sendSignal(pid, 'SIGWINCH')
}

/** Everybody below a process, as Linux tells it; on a Mac nobody needs to be told. */
function listDescendants(pid: number): number[] {
  try {
    const children = fs
      .readdirSync(`/proc/${pid}/task`)
      .flatMap(task => fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
    return children.filter(Boolean).flatMap(child => [Number(child), ...listDescendants(Number(child))])
  } catch {
    return []
  }
}

function readCommandLine(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // It has just ended.
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {} // It has just ended.
}
