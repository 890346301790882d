import type { RunOptions } from '../exec.ts'
import { decodeNames, encodeName } from '../file-name.ts'
import { git } from './git.ts'

/**
 * What git's attributes say of files: the value of each attribute in the order of `attributes`, by the name of the file. A value is
 * `set`, `unset`, `unspecified` or a text, which may be empty. `options` are those of git before its command, such as `--git-dir`.
 */
export async function readAttributes(
  attributes: string[],
  files: string[],
  { options = [], isCached = false, ...run }: { options?: string[]; isCached?: boolean } & RunOptions,
): Promise<Map<string, string[]>> {
  if (files.length === 0) return new Map()
  const input = Buffer.concat(files.map(name => encodeName(`${name}\0`)))
  const check = ['check-attr', ...(isCached ? ['--cached'] : []), '-z', '--stdin', ...attributes]
  const output = decodeNames(await git([...options, ...check], { ...run, input, encoding: 'latin1' }))
  const fields = output.split('\0') // Three for each attribute of each file: path, attribute and value.
  const width = 3 * attributes.length
  return new Map(
    files.map((_, row) => [
      fields[row * width] ?? '',
      attributes.map((_, column) => fields[row * width + 3 * column + 2] ?? ''),
    ]),
  )
}
