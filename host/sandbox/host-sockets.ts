import fs from 'node:fs'
import path from 'node:path'
import { readIfPresent } from '../fs/files.ts'
import { isUnder } from './policy.ts'

/**
 * What to hide below folders of the host, because a Unix socket can be connected to wherever its file is visible, also through
 * a read-only mount: below folders with tools, where daemons make theirs; and below these and others, every socket that exists now.
 */
export function listHostSockets(
  toolFolders: string[],
  otherFolders: string[] = [],
  table = readIfPresent('/proc/net/unix') ?? '',
): string[] {
  const readableFolders = [...toolFolders, ...otherFolders]
  const folders = toolFolders
    .flatMap(folder => socketFolders.map(name => path.join(folder, name)))
    .filter(folder => fs.existsSync(folder))
  const sockets = parseSocketTable(table)
    .flatMap(socket => (fs.existsSync(socket) ? [fs.realpathSync(socket)] : []))
    .filter(socket => readableFolders.some(folder => isUnder(socket, folder)))
    .filter(socket => !folders.some(folder => isUnder(socket, folder)))
  return [...new Set([...folders, ...sockets])]
}

/** The paths in `/proc/net/unix`: no abstract names, which a network namespace hides, and no relative ones. Pure. */
export function parseSocketTable(table: string): string[] {
  return table.split('\n').flatMap(line => /^\S+: (?:\S+\s+){6}(\/.*)$/.exec(line)?.[1] ?? [])
}

// --- internal ---

/** Where daemons make their sockets below a folder with programs, such as `~/.docker`, `/nix` or the folder of Homebrew. */
const socketFolders = ['run', 'var/run', 'var/nix/daemon-socket']
