import { readIfPresent } from './fs/files.ts'

/**
 * The TCP ports on which a program of this machine listens for connections over the loopback. Linux only, where a sandbox
 * has a loopback of its own; empty elsewhere. The table of the kernel is read, because a connection would be noticed:
 * a database logs it, and systemd starts what waits for it.
 */
export function listListeningPorts(): Set<number> {
  return new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap(file => parseListeningPorts(readIfPresent(file) ?? '')))
}

/** The ports in `/proc/net/tcp` or `/proc/net/tcp6` that accept connections over the loopback. Pure. */
export function parseListeningPorts(table: string): number[] {
  return table.split('\n').flatMap(line => {
    const [, address = '', port = '', state] = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line) ?? []
    return state === LISTEN && loopbackAddress.test(address) ? [Number.parseInt(port, 16)] : []
  })
}

// --- internal ---

const LISTEN = '0A'

/** Any address, 127.0.0.0/8, ::, ::1, and the same of IPv4 in IPv6, as the kernel writes them on little-endian machines. */
const loopbackAddress = /^(0{8}|[0-9A-F]{6}7F|0{32}|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/
