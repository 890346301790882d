import path from 'node:path'
import { readPointerBlobs } from '../lfs/filters.ts'
import { isLfsContent } from '../lfs/lfs.ts'
import { readAttributes } from './attributes.ts'
import { git, listWithGit, tryGit } from './git.ts'

/**
 * What is not committed in a checkout, one line of `git status --porcelain` each. No program of its configuration runs:
 * no filter, and nothing in a submodule, which has its own configuration.
 */
export async function listUncommitted(checkout: string, config: string[] = []): Promise<string[]> {
  const args = ['status', '--porcelain', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=dirty']
  const env = await buildFilterlessEnvironment(checkout)
  const lines = await listWithGit([...config, ...args], { cwd: checkout, env })
  const modified = lines.flatMap(line => (line.startsWith(MODIFIED) ? [line.slice(MODIFIED.length)] : []))
  if (modified.length === 0) return lines
  const unchanged = await listUnchangedLfsFiles(checkout, modified, env)
  return lines.filter(line => !line.startsWith(MODIFIED) || !unchanged.has(line.slice(MODIFIED.length)))
}

// --- internal ---

/** How a line begins whose file differs from the index, and the index not from HEAD. */
const MODIFIED = ' M '

/**
 * Those of the files that hold the content of their pointer in the index. Without the filter git calls such a file modified
 * as soon as it reads it, as it does after a clone.
 */
async function listUnchangedLfsFiles(
  checkout: string,
  names: string[],
  env: Record<string, string>,
): Promise<Set<string>> {
  const attributes = await readAttributes(['filter'], names, { cwd: checkout })
  const filtered = new Set([...attributes].flatMap(([name, [filter]]) => (filter === 'lfs' ? [name] : [])))
  if (filtered.size === 0) return new Set()
  // Two fields for each file: `:MODE MODE BLOB BLOB STATUS` and its path.
  const fields = await listWithGit(['diff-files', '--raw', '--no-abbrev', '--no-renames', '-z'], { cwd: checkout, env })
  const files = fields.flatMap((field, index) => {
    const [oldMode, newMode, blob = ''] = field.slice(1).split(' ')
    const name = fields[index + 1] ?? ''
    return index % 2 === 0 && oldMode === newMode && filtered.has(name) ? [{ name, blob }] : []
  })
  const gitFolder = await git(['rev-parse', '--absolute-git-dir'], { cwd: checkout })
  const pointers = await readPointerBlobs(gitFolder, new Set(files.map(({ blob }) => blob)))
  const unchanged = new Set<string>()
  for (const { name, blob } of files) {
    const pointer = pointers.get(blob)
    if (pointer !== undefined && (await isLfsContent(path.join(checkout, name), pointer))) unchanged.add(name)
  }
  return unchanged
}

/** An environment for git in which every filter of the repository's configuration does nothing. */
async function buildFilterlessEnvironment(repository: string): Promise<Record<string, string>> {
  const result = await tryGit(['config', '--name-only', '-z', '--get-regexp', '^filter\\.'], { cwd: repository })
  const drivers = new Set(result.stdout.split('\0').flatMap(key => key.slice(0, key.lastIndexOf('.')) || []))
  const settings = [...drivers].flatMap(driver => [
    ...['clean', 'smudge', 'process'].map(name => [`${driver}.${name}`, '']),
    [`${driver}.required`, 'false'],
  ])
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(settings.length)],
    ...settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ])
}
