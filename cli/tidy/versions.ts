import type { Config } from '#host/config'
import { deleteFolder } from '#host/fs'
import { isLeaseFree } from '#host/lease'
import { getLeaseFolder, updateAlone, updateLeaseOptions } from '../update/clone.ts'
import { listUnused } from '../update/unused.ts'
import type { Removable } from './removable.ts'

/** Versions that `dispatch update` has put beside the clone, and that nothing needs any more. None while an update runs. */
export async function listOldVersions(config: Config): Promise<Removable[]> {
  if (!(await isLeaseFree(getLeaseFolder(config.cloneFolder), updateLeaseOptions))) return []
  return (await listUnused(config)).map(({ name, bytes }) => ({
    ...{ kind: 'version' as const, name, bytes },
    reason: 'it is neither used nor the one before, and nothing runs from it',
    remove: () =>
      updateAlone(config, async () => {
        const folder = (await listUnused(config)).find(unused => unused.name === name)?.folder
        if (folder !== undefined) deleteFolder(folder)
        return folder !== undefined
      }),
  }))
}
