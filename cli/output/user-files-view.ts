import path from 'node:path'
import { parseJson } from '#host/json.ts'
import { paintDiff } from './diff.ts'
import { paint, print } from './terminal.ts'

/** A file of the user as it is and as it would be; undefined where it does not exist. */
interface UserFileChange {
  file: string
  /** Why it changes. */
  reason?: string
  before: Buffer | undefined
  after: Buffer | undefined
}

/** The files, why they change, and the difference of each. */
export function printUserFileChanges(changes: UserFileChange[]): void {
  for (const { file, reason } of changes) print(`  ${file}${reason === undefined ? '' : `\n    ${reason}`}`)
  for (const { file, before, after } of changes) print(`\n${paintDiff(file, before?.toString(), after?.toString())}`)
  print()
}

/** claude ignores a settings file with comments or trailing commas, and shows one line about it (docs/decisions/0014). */
export function printCommentWarning({ file, before }: UserFileChange): void {
  const text = before?.toString().replace(/^\ufeff/, '') ?? ''
  if (path.basename(file) !== 'settings.json' || text.trim() === '' || parseJson(text) !== undefined) return
  print(paint('yellow', `${file} has comments or trailing commas. dispatch keeps them, but claude 2.1 ignores such a`))
  print(paint('yellow', 'file: nothing in it works, these hooks included, until you remove them.\n'))
}
