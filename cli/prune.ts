import type { Config } from '#host/config'
import { formatCount } from '#host/text.ts'
import { listSetups, removeUnusedSetups, type Setup } from '#runner'
import { listPackStores, type PackStore, removeUnusedPackStores } from '#session/repository'
import { UsageError } from './command.ts'
import { confirmAction } from './input/confirm.ts'
import { addUp, printRemovable } from './output/setup-list.ts'
import { formatBytes, print } from './output/terminal.ts'

/** What of a home can be removed, because it would be made again. */
interface Removable {
  setups: Setup[]
  repositories: PackStore[]
}

/** Remove dependencies that no open session uses, and histories that are not used. What and why is shown first. */
export async function prune(config: Config, { isConfirmed, isJson }: { isConfirmed: boolean; isJson: boolean }) {
  const removable: Removable = {
    setups: (await listSetups(config)).filter(({ isUsed, state }) => !isUsed && state !== 'being made'),
    repositories: listPackStores(config.home).filter(({ isUnused }) => isUnused),
  }
  const isEmpty = removable.setups.length + removable.repositories.length === 0
  if (isJson && !isConfirmed && !isEmpty)
    throw new UsageError('prepare --json does not ask', 'Add --yes to remove them, or --list to see what there is.')
  if (!isJson) printRemovable(removable.setups, removable.repositories)
  const isGo = !isEmpty && (isConfirmed || (await confirmAction('Remove them?', 'prepare --prune')))
  const removed: Removable = {
    setups: isGo ? await removeUnusedSetups(config, { keys: removable.setups.map(({ key }) => key) }) : [],
    repositories: isGo ? removeUnusedPackStores(config.home) : [],
  }
  if (isJson) print(JSON.stringify(removed))
  else if (!isEmpty) print(isGo ? describeRemoved(removed) : 'Nothing was removed.')
}

// --- internal ---

function describeRemoved({ setups, repositories }: Removable): string {
  const histories = repositories.length > 0 ? ` and the history of ${formatCount(repositories.length, 'project')}` : ''
  return `Removed ${formatCount(setups.length, 'setup')}${histories}, ${formatBytes(addUp(setups) + addUp(repositories))}.`
}
