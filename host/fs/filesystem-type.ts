import fs from 'node:fs'
import { runProgram } from '../exec.ts'
import { locateSystemProgram } from '../system-program.ts'
import { SECOND_MS } from '../time.ts'

/** The kind of a file system, and whether another machine serves it. */
interface FileSystemType {
  kind: string
  isNetwork: boolean
}

/** The type of the file system that a folder is on. */
export async function detectFileSystem(folder: string): Promise<FileSystemType> {
  if (process.platform === 'linux') return classifyByMagic(fs.statfsSync(folder).type)
  return classifyByMounts(
    (await runProgram(locateSystemProgram('mount'), [], { timeoutMs: 5 * SECOND_MS })).stdout,
    folder,
  )
}

/**
 * Does each write to a file here change its times, also one through mapped memory? In tmpfs such a write changes none, so on an
 * overlay it depends on what is below, which a container cannot see.
 */
export function recordsMappedWrites(folder: string): boolean {
  return process.platform === 'linux' && recordingMagicNumbers.includes(fs.statfsSync(folder).type >>> 0)
}

/** Classify by the magic number of statfs(2) on Linux. Pure. */
export function classifyByMagic(type: number): FileSystemType {
  const kind = networkMagicNumbers[type >>> 0]
  return { kind: kind ?? 'local', isNetwork: kind !== undefined }
}

/** Classify by the output of `mount` on macOS, such as `//me@server/share on /Volumes/share (smbfs, nodev)`. Pure. */
export function classifyByMounts(text: string, folder: string): FileSystemType {
  const mounts = [...text.matchAll(/^.* on (\/.*) \((\w+)[^)]*\)$/gm)]
    .map(([, mountPoint = '', kind = '']) => ({ mountPoint, kind }))
    .filter(({ mountPoint }) => folder === mountPoint || folder.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`))
    .sort((a, b) => b.mountPoint.length - a.mountPoint.length)
  const kind = mounts[0]?.kind ?? 'unknown'
  return { kind, isNetwork: networkKinds.includes(kind) }
}

// --- internal ---

const networkKinds = ['nfs', 'smbfs', 'afpfs', 'webdav', 'ftp', 'macfuse', 'osxfuse']

/** ext4 with its predecessors, xfs and btrfs, by the magic number of statfs(2). */
const recordingMagicNumbers = [0xef53, 0x58465342, 0x9123683e]

/** Network file systems by the magic number of statfs(2). */
const networkMagicNumbers: Record<number, string> = {
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb2',
  20859: 'smb',
  1702057286: 'fuse',
  16914839: '9p',
  1397113167: 'afs',
  2866260714: 'panfs',
  198183888: 'lustre',
}
