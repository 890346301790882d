import fs from 'node:fs'
import { runProgram } from '../exec.ts'

/** The kind of file system a folder lies on, and whether it is another machine's. */
interface FileSystemType {
  kind: string
  isNetwork: boolean
}

/** On which file system does this folder lie? */
export async function detectFileSystem(folder: string): Promise<FileSystemType> {
  if (process.platform === 'linux') return classifyByMagic(fs.statfsSync(folder).type)
  return classifyByMounts((await runProgram('mount', [], { timeoutMs: 5000 })).stdout, folder)
}

/** By the number that statfs(2) gives on Linux. Pure. */
export function classifyByMagic(type: number): FileSystemType {
  const kind = networkMagicNumbers[type >>> 0]
  return { kind: kind ?? 'local', isNetwork: kind !== undefined }
}

/** By what `mount` prints on macOS: `//me@server/share on /Volumes/share (smbfs, nodev)`. Pure. */
export function classifyByMounts(text: string, folder: string): FileSystemType {
  const mounts = [...text.matchAll(/^.* on (\/.*) \((\w+)[^)]*\)$/gm)]
    .map(([, at = '', kind = '']) => ({ at, kind }))
    .filter(({ at }) => folder === at || folder.startsWith(at === '/' ? '/' : `${at}/`))
    .sort((a, b) => b.at.length - a.at.length)
  const kind = mounts[0]?.kind ?? 'unknown'
  return { kind, isNetwork: ['nfs', 'smbfs', 'afpfs', 'webdav', 'ftp', 'macfuse', 'osxfuse'].includes(kind) }
}

/** File systems of other machines, by statfs(2)'s number. */
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
