import type { Config } from '#host/config'
import { formatCount } from '#host/text.ts'
import { type Installation, listInstallations, removeUnusedInstallations } from '#runner/dependencies/index.ts'
import { listPackStores, type PackStore, removeUnusedPackStores } from '#session/repository'
import { UsageError } from './command.ts'
import { confirmAction } from './input/confirm.ts'
import { addUp, printRemovable } from './output/installation-list.ts'
import { formatBytes, print } from './output/terminal.ts'

/** What of a home can be removed, because it would be made again. */
interface Removable {
  installations: Installation[]
  repositories: PackStore[]
}

/** Remove dependencies that no open session uses, and histories that are not used. What and why is shown first. */
export async function prune(config: Config, { isConfirmed, isJson }: { isConfirmed: boolean; isJson: boolean }) {
  const removable: Removable = {
    installations: (await listInstallations(config)).filter(({ isUsed, state }) => !isUsed && state !== 'being made'),
    repositories: listPackStores(config.home).filter(({ isUnused }) => isUnused),
  }
  const isEmpty = removable.installations.length + removable.repositories.length === 0
  if (isJson && !isConfirmed && !isEmpty)
    throw new UsageError('prepare --json does not ask', 'Add --yes to remove them, or --list to see what there is.')
  if (!isJson) printRemovable(removable.installations, removable.repositories)
  const isGo = !isEmpty && (isConfirmed || (await confirmAction('Remove them?', 'prepare --prune')))
  const removed: Removable = {
    installations: isGo ? await removeUnusedInstallations(removable.installations) : [],
    repositories: isGo ? removeUnusedPackStores(config.home) : [],
  }
  if (isJson) print(JSON.stringify(removed))
  else if (!isEmpty) print(isGo ? describeRemoved(removed) : 'Nothing was removed.')
}

// --- internal ---

function describeRemoved({ installations, repositories }: Removable): string {
  const histories = repositories.length > 0 ? ` and the history of ${formatCount(repositories.length, 'project')}` : ''
  return `Removed ${formatCount(installations.length, 'installation')}${histories}, ${formatBytes(addUp(installations) + addUp(repositories))}.`
}
