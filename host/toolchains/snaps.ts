import fs from 'node:fs'
import path from 'node:path'
import { listNames, readIfPresent } from '../fs/files.ts'

/**
 * The folders with the programs of classic snaps, for the folder of PATH that has a link for each: `/snap/bin`. The links lead
 * to `snap`, which needs more rights than there are in a sandbox. The programs themselves need none.
 */
export function listSnapFolders(searched: string): string[] {
  if (!searched.endsWith('/snap/bin')) return []
  const snaps = path.dirname(searched)
  return listNames(snaps)
    .map(name => path.join(snaps, name, 'current'))
    .filter(isClassic)
    .flatMap(snap => [path.join(snap, 'bin'), path.join(snap, 'usr/bin')])
    .filter(folder => fs.existsSync(folder))
}

/** Programs of other snaps are made for the confinement in which `snap` runs them. */
function isClassic(snap: string): boolean {
  return /^confinement: *classic\s*$/m.test(readIfPresent(path.join(snap, 'meta/snap.yaml')) ?? '')
}
