import { formatCount } from '#host/text.ts'
import type { RollbackReport } from '../update/rollback.ts'
import type { UpdateReport } from '../update/update.ts'
import { paint, print } from './terminal.ts'

/** `installCommand`: what installs exactly what was looked at. */
export function printUpdate({ result, installed, available, removed }: UpdateReport, installCommand: string): void {
  if (result === 'nothing newer') print(`${installed} is the newest version.`)
  else if (result === 'already installed') print(`${available} is installed already: ${installed}`)
  else if (result === 'available') print(`${available} is available. To install it: ${installCommand}`)
  else {
    print(paint('green', `updated to ${installed}`))
    print('Sessions that run go on with the code that they began with. To go back: dispatch update --rollback')
    if (removed.length > 0) print(`removed, because nothing needs it any more: ${removed.join(', ')}`)
  }
}

export function printRollback({ installed, readOnly, unreadable }: RollbackReport): void {
  print(paint('green', `switched to ${installed}`))
  if (readOnly.length > 0)
    print(
      paint(
        'yellow',
        `${formatCount(readOnly.length, 'session')} of a newer format can only be shown: ${readOnly.join(', ')}`,
      ),
    )
  if (unreadable.length > 0)
    print(paint('yellow', `${formatCount(unreadable.length, 'session')} cannot be read: ${unreadable.join(', ')}`))
  print('To undo that: dispatch update --rollback')
}
