import type { Setup } from '#runner'
import { formatBytes, formatRelativeTime, formatTable, paint, print } from './terminal.ts'

/** One line for each setup, then what all take. */
export function printSetups(setups: Setup[]): void {
  if (setups.length === 0) return print('No dependencies are installed.')
  const rows = setups.map(({ key, state, commands, bytes, usedAtMs, isUsed }) => [
    state === 'ready' ? paint('green', state) : paint('yellow', state),
    key.slice(0, 8),
    formatBytes(bytes),
    paint('dim', isUsed ? 'in use' : formatRelativeTime(new Date(usedAtMs).toISOString())),
    commands.join('; '),
  ])
  print(formatTable(rows))
  print(
    `\n${setups.length} in all, ${formatBytes(addUp(setups))}. To remove what is not needed: dispatch prepare --prune`,
  )
}

/** The sum of their sizes in bytes. Pure. */
export function addUp(setups: Setup[]): number {
  return setups.reduce((sum, { bytes }) => sum + bytes, 0)
}
