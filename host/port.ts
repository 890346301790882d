import fs from 'node:fs'
import { isErrno } from './error.ts'
import { readIfPresent } from './files.ts'
import { run } from './run.ts'

/** Who listens on a port. A process of somebody else's may be hidden from us: then nothing is known of it. */
export interface Listener {
  pid: number | undefined
  program: string | undefined
}

/** Who listens on this port of loopback or of every address; undefined when nobody does. */
export async function listenerOn(port: number): Promise<Listener | undefined> {
  if (process.platform === 'linux') return linuxListener(port)
  const ran = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { deadline: 5000 })
  return parseListener(ran.stdout)
}

/** The first process in what `lsof -Fpc` prints: a line `p` and its number, a line `c` and its name. Pure. */
export function parseListener(text: string): Listener | undefined {
  const [, pid, program] = /^p(\d+)\n(?:[^cp].*\n)*c(.*)$/m.exec(text) ?? []
  return pid === undefined ? undefined : { pid: Number(pid), program }
}

/** The inodes of the sockets that listen on a port, in `/proc/net/tcp` or `tcp6`. Pure. */
export function parseSockets(text: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === listening && local.endsWith(wanted))
    .flatMap(([, , , , , , , , , inode]) => inode ?? [])
}

// --- internal ---

const listening = '0A'

function linuxListener(port: number): Listener | undefined {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map(file => readIfPresent(file) ?? '')
  const inodes = new Set(tables.flatMap(table => parseSockets(table, port)))
  if (inodes.size === 0) return undefined
  const pid = fs
    .readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .find(name => socketsOf(name).some(inode => inodes.has(inode)))
  if (pid === undefined) return { pid: undefined, program: undefined }
  return { pid: Number(pid), program: readIfPresent(`/proc/${pid}/comm`)?.trim() }
}

/** A descriptor that is gone, or somebody else's, tells nothing. */
function socketsOf(pid: string): string[] {
  const fds = quietly(() => fs.readdirSync(`/proc/${pid}/fd`)) ?? []
  return fds.flatMap(fd => {
    const target = quietly(() => fs.readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? ''
    return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []
  })
}

function quietly<Value>(look: () => Value): Value | undefined {
  try {
    return look()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'ESRCH')) return undefined
    throw error
  }
}
