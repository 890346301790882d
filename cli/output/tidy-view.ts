import { sanitize } from '#host/text.ts'
import type { Removable } from '../tidy/removable.ts'
import type { TidyResult } from '../tidy/tidy.ts'
import { formatBytes, formatTable, paint, print } from './terminal.ts'

/** Each thing that can be removed, and why nothing is lost with it; first what could not be looked at. */
export function printRemovable(removable: Removable[], problems: string[]): void {
  for (const problem of problems) print(`${paint('yellow', 'not looked at')}  ${sanitize(problem)}`)
  if (removable.length === 0) return print('There is nothing to remove.')
  const rows = removable.map(({ kind, name, bytes, reason }) => [
    kind,
    sanitize(name),
    bytes > 0 ? formatBytes(bytes) : '',
    reason,
  ])
  print(formatTable(rows))
  print(`\nThis frees about ${formatBytes(removable.reduce((sum, { bytes }) => sum + bytes, 0))}.`)
}

/** What was removed, what was not, and what is free on the disk now. Sizes are in bytes. */
export function printTidied(results: TidyResult[], freeBefore: number, freeNow: number): void {
  for (const { action, name, error } of results) {
    if (action === 'kept') print(`${paint('yellow', 'kept')}  ${sanitize(name)}: it is needed again`)
    if (action === 'failed') print(`${paint('red', 'failed')}  ${sanitize(name)}: ${error}`)
  }
  const removed = results.filter(({ action }) => action === 'removed')
  const bytes = removed.reduce((sum, each) => sum + each.bytes, 0)
  print(`Removed ${removed.length} of ${results.length}, ${formatBytes(bytes)}.`)
  print(`Free on the disk: ${formatBytes(freeBefore)} before, ${formatBytes(freeNow)} now.`)
}
