import path from 'node:path'
import { isProgram } from '../../exec.ts'

/** In place of the library's own, which starts `which`: the file of a program, by its path or on PATH; null without one. */
export function whichSync(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  const files = name.includes('/') ? [name] : folders.map(folder => path.join(folder || '.', name))
  return files.find(isProgram) ?? null
}
