import { formatCount, formatNames, sanitize } from '#host/text.ts'
import type { BackupReport } from '../backup/backup.ts'
import type { RestoreReport } from '../backup/restore.ts'
import type { CheckedBackup } from '../backup/verify.ts'
import { formatBytes, paint, print } from './terminal.ts'

/** What was copied, and what was not, with the reason. */
export function printBackup(report: BackupReport, hasSecrets: boolean): void {
  const { name, folder, sessions, files, bytes, writtenBytes, seconds, skipped, restless } = report
  const lost = skipped.filter(({ isLost }) => isLost)
  for (const { path, reason } of skipped.slice(0, MAX_LISTED_PATHS))
    print(`${paint('yellow', 'not copied')}  ${sanitize(path)}: ${reason}`)
  if (skipped.length > MAX_LISTED_PATHS)
    print(`            and ${skipped.length - MAX_LISTED_PATHS} more (--json lists all)`)
  if (restless.length > 0)
    print(
      `${paint('yellow', 'note')}  ${formatNames(restless)}: kept changing while it was copied, so the copy may be inconsistent. Back up again when it is quiet.`,
    )
  print(
    `${lost.length > 0 ? paint('yellow', 'Backed up') : paint('green', 'Backed up')} ${formatCount(sessions, 'session')} with the queue, projects and notifications: ${formatCount(files, 'file')}, ${formatBytes(bytes)}.`,
  )
  print(`Written now: ${formatBytes(writtenBytes)}, in ${seconds.toFixed(1)} s, to ${folder} (${name}).`)
  if (report.isOpenToOthers)
    print(
      `${paint('yellow', 'note')}  This disk has no access rights, so other users of this machine may read ${folder}.`,
    )
  if (!hasSecrets) print('Without .env and the kept token: --with-secrets adds them.')
}

/** Whether a backup is whole, or each file that is damaged. */
export function printVerified(name: string, { units, damage, objects, bytes }: CheckedBackup): void {
  for (const { file, problem, holds } of damage)
    print(`${paint('red', 'damaged')}  ${file} ${problem}\n         it holds ${sanitize(holds)}`)
  const contents = `${formatCount(objects, 'object')}, ${formatBytes(bytes)}, of ${formatCount(units.length, 'part')}`
  if (damage.length === 0) print(`${paint('green', 'Whole')}: ${name}, ${contents}.`)
  else print(`\n${formatCount(damage.length, 'file')} of ${name} cannot be used.`)
}

/** What was restored, and what stayed as it was. */
export function printRestored(report: RestoreReport): void {
  const { name, home, from, restored, kept, keptFiles, addedItems, isPaused } = report
  print(`${paint('green', 'Restored')} ${formatCount(restored.length, 'session')} to ${home}, from ${name}.`)
  if (kept.length > 0) print(`Already there, and left as they are: ${formatCount(kept.length, 'session')}.`)
  if (keptFiles.length > 0) print(`Your files stay as they are: ${sanitize(formatNames(keptFiles))}`)
  if (addedItems.length > 0)
    print(
      `${formatCount(addedItems.length, 'item')} of its queue ${addedItems.length === 1 ? 'was' : 'were'} added, with new ids: ${formatNames(addedItems)}`,
    )
  if (from !== home) print(`The backup is of ${from}. Use this home with: DISPATCH_HOME=${home}`)
  if (isPaused)
    print(
      'Dispatch is paused, so that nothing goes on by itself: look at `dispatch ls` and `dispatch queue`, then run `dispatch unpause`.',
    )
}

// --- internal ---

const MAX_LISTED_PATHS = 20
