import { isatty } from 'node:tty'
import { runProgram } from '../exec.ts'
import { locateSystemProgram } from '../system-program.ts'
import { SECOND_MS } from '../time.ts'

/**
 * Close the terminals of the user to a sandbox of macOS: what is typed there could be read, and answered. What stays open are
 * pseudo-terminals that were made inside, which the system marks, and `ownTerminal`, in which the command itself runs. Pure.
 */
export function closeTerminals(commandLine: string, ownTerminal: string | undefined): string {
  const own = ownTerminal === undefined ? '' : `\n(allow file-read* file-write* file-ioctl (literal "${ownTerminal}"))`
  const closed = commandLine.replace(
    openTerminals,
    () => `(allow pseudo-tty)
(allow file-read* file-write* file-ioctl (literal "/dev/ptmx"))
(deny file-read* file-write* file-ioctl (regex #"^/dev/ttys"))
(allow file-read* file-write* file-ioctl (require-all (regex #"^/dev/ttys") (extension "com.apple.sandbox.pty")))${own}`,
  )
  if (closed === commandLine) throw new Error('the profile of sandbox-runtime has an unknown form')
  return closed
}

/** The terminal that a sandbox gets from this process; undefined if it gets none. */
export async function findOwnTerminal(program = locateSystemProgram('ps', 'darwin')): Promise<string | undefined> {
  if (![0, 1, 2].some(fd => isatty(fd))) return undefined
  const { stdout } = await runProgram(program, ['-o', 'tty=', '-p', String(process.pid)], { timeoutMs: 5 * SECOND_MS })
  return parseTerminal(stdout)
}

/** The device of a terminal as `ps` of macOS names it: `ttys003`; undefined for a process without one. Pure. */
export function parseTerminal(text: string): string | undefined {
  const name = text.trim()
  return /^ttys\d+$/.test(name) ? `/dev/${name}` : undefined
}

// --- internal ---

/** The rules by which the library opens every terminal. */
const openTerminals = `(allow pseudo-tty)
(allow file-ioctl
  (literal "/dev/ptmx")
  (regex #"^/dev/ttys")
)
(allow file-read* file-write*
  (literal "/dev/ptmx")
  (regex #"^/dev/ttys")
)`
