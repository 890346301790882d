import type { Config } from '#host/config'
import { deleteFolder } from '#host/fs'
import { listInstallations, removeUnusedInstallations } from '#runner/dependencies/index.ts'
import { listPackStores } from '#session/repository'
import type { Removable } from './removable.ts'

/** Dependencies that no open session uses and none has used for so long, and histories from which none has started for 30 days. */
export async function listRemovableCaches(config: Config, minAgeMs: number): Promise<Removable[]> {
  const isOld = (usedAtMs: number) => Date.now() - usedAtMs >= minAgeMs
  const installations = (await listInstallations(config)).filter(
    ({ isUsed, state, usedAtMs }) => !isUsed && state !== 'being made' && isOld(usedAtMs),
  )
  const stores = listPackStores(config.home).filter(({ isUnused }) => isUnused)
  return [
    ...installations.map((installation): Removable => {
      const { key, commands, state, bytes } = installation
      return {
        ...{ kind: 'dependencies', name: commands.join('; ') || key.slice(0, 8), bytes },
        reason: state === 'ready' ? 'no open session uses it, and it is made again' : 'its commands did not finish',
        remove: async () => (await removeUnusedInstallations([installation])).length > 0,
      }
    }),
    ...stores.map(
      ({ folder, bytes }): Removable => ({
        ...{ kind: 'history', name: 'the history of a project', bytes },
        reason: 'no session has started from it for 30 days, and each session has its own links',
        remove: async () => {
          const isUnused = listPackStores(config.home).some(store => store.folder === folder && store.isUnused)
          if (isUnused) deleteFolder(folder)
          return isUnused
        },
      }),
    ),
  ]
}
