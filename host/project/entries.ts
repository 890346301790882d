import { listTreeEntries, type RepositoryCommit } from '../git/git.ts'

/**
 * Is this file one of those that an entry of `.dispatch.json` names? A folder is all files in it. An entry with a `*` is a pattern:
 * `*` stands for any characters of one name, and `**` for any folders. `**\/pom.xml` is each `pom.xml`, also the one at the top. Pure.
 */
export function matchesEntry(entry: string, file: string): boolean {
  if (entry.includes('*')) return getPattern(entry).test(file)
  return entry === file || file.startsWith(`${entry.replace(/\/$/, '')}/`)
}

/** Those entries that name no file of the commit. */
export async function listMissingLockfiles(repository: RepositoryCommit, lockfiles: string[]): Promise<string[]> {
  if (lockfiles.length === 0) return []
  const files = (await listTreeEntries(repository)).map(({ path }) => path)
  return lockfiles.filter(entry => !files.some(file => matchesEntry(entry, file)))
}

// --- internal ---

/** A repository may have 30,000 files, and every check asks. */
const patterns = new Map<string, RegExp>()

function getPattern(entry: string): RegExp {
  const known = patterns.get(entry)
  if (known) return known
  const source = entry.replace(/\*\*\/|\*+|[^*]+/g, part => {
    if (part === '**/') return '(?:.*/)?'
    if (part.startsWith('*')) return part === '*' ? '[^/]*' : '.*'
    return part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
  })
  const pattern = new RegExp(`^${source}$`)
  patterns.set(entry, pattern)
  return pattern
}
