import { formatCount } from '#host/text.ts'
import type { Installation } from '#runner/dependencies/index.ts'
import type { PackStore } from '#session/repository'
import { formatBytes, formatRelativeTime, formatTable, paint, print } from './terminal.ts'

/** One line for each installation, then what all take, and the histories that sessions share. */
export function printInstallations(installations: Installation[], repositories: PackStore[]): void {
  if (installations.length === 0) print('No dependencies are installed.')
  else printTable(installations)
  if (repositories.length > 0)
    print(
      `The history of ${formatCount(repositories.length, 'project')} is kept. Removing it would free ${formatBytes(addUp(repositories))}.`,
    )
}

/** What is removed, and why. */
export function printRemovable(installations: Installation[], repositories: PackStore[]): void {
  const formatAge = (timeMs: number) => paint('dim', formatRelativeTime(new Date(timeMs).toISOString()))
  const rows = [
    ...installations.map(({ state, commands, bytes, usedAtMs }) => [
      formatBytes(bytes),
      formatAge(usedAtMs),
      state === 'ready' ? 'no open session uses it' : 'its commands did not finish',
      commands.join('; '),
    ]),
    ...repositories.map(({ bytes, usedAtMs }) => [
      formatBytes(bytes),
      formatAge(usedAtMs),
      'no session has started for 30 days',
      'the history of a project',
    ]),
  ]
  if (rows.length === 0) return print('There is nothing to remove.')
  print(formatTable(rows))
  print(
    `\nThis frees ${formatBytes(addUp(installations) + addUp(repositories))}. What a session needs again is made again.`,
  )
}

/** The sum of their sizes in bytes. Pure. */
export function addUp(parts: { bytes: number }[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0)
}

// --- internal ---

function printTable(installations: Installation[]): void {
  const rows = installations.map(({ key, state, commands, bytes, usedAtMs, isUsed }) => [
    state === 'ready' ? paint('green', state) : paint('yellow', state),
    key.slice(0, 8),
    formatBytes(bytes),
    paint('dim', isUsed ? 'in use' : formatRelativeTime(new Date(usedAtMs).toISOString())),
    commands.join('; '),
  ])
  print(formatTable(rows))
  print(
    `\n${installations.length} in all, ${formatBytes(addUp(installations))}. To remove what is not needed: dispatch prepare --prune`,
  )
}
