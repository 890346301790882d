import path from 'node:path'
import { listTreeEntries, readBlob, type TreeEntry, type UserRepository } from '../git/git.ts'

/** What a repository says to agents, as far as we hand it on, and what we do not. */
interface Instructions {
  /** CLAUDE.md and AGENTS.md of the top, as text. */
  texts: { path: string; text: string }[]
  /** Others of these names, deeper in the tree: named, so that whoever works there reads them. */
  nested: string[]
  /** Settings, hooks, servers and commands of the repository's own: never read, and listed for the user. */
  ignored: string[]
}

/**
 * The instructions in a commit of the user's repository. Claude is started without the project's settings, because those
 * can run programs, and then it does not read these files either: so we hand them on as text.
 */
export async function readInstructions(repository: Pick<UserRepository, 'path' | 'commit'>): Promise<Instructions> {
  const entries = await listTreeEntries(repository)
  const { own, nested, ignored } = classifyEntries(entries)
  const texts: Instructions['texts'] = []
  for (const entry of own) {
    const file = entry.mode === '120000' ? await resolveLink(repository, entry, entries) : entry.path
    if (file === undefined || texts.some(known => known.path === file)) continue
    const text = await readBlob(repository, file)
    texts.push({
      path: file,
      text:
        text.length > MAX_INSTRUCTION_CHARS
          ? `${text.slice(0, MAX_INSTRUCTION_CHARS)}\n[cut here: the file goes on]`
          : text,
    })
  }
  return { texts, nested, ignored }
}

/** Which files hand on their text, which are only named, which are ignored. Pure. */
export function classifyEntries(entries: TreeEntry[]): { own: TreeEntry[]; nested: string[]; ignored: string[] } {
  const names = new Set(['CLAUDE.md', 'AGENTS.md', '.claude/CLAUDE.md'])
  const own = entries.filter(entry => names.has(entry.path) && entry.mode !== '160000')
  const nested = entries
    .map(entry => entry.path)
    .filter(file => /(^|\/)(CLAUDE|AGENTS)\.md$/.test(file) && !names.has(file))
    .slice(0, 50)
  const ignored = entries.map(entry => entry.path).filter(file => ignoredPatterns.some(pattern => pattern.test(file)))
  return { own, nested, ignored: groupByFolder(ignored) }
}

// --- internal ---

/** Characters of one file that are handed on. */
const MAX_INSTRUCTION_CHARS = 64 * 1024

/** What claude would take from a project if we let it. */
const ignoredPatterns = [
  /^\.claude$/, // A link: it leads to a folder of such files.
  /^\.claude\/settings[^/]*\.json$/,
  /^\.mcp\.json$/,
  /^\.claude\/(agents|commands|skills|rules|hooks|output-styles|plugins)\//,
  /^\.claude-plugin\//,
  /^CLAUDE\.local\.md$/,
]

/** `.claude/commands/ (3 files)` in place of three names. */
function groupByFolder(files: string[]): string[] {
  const folders = new Map<string, number>()
  const single: string[] = []
  for (const file of files) {
    const [folder] = /^(\.claude\/[^/]+\/|\.claude-plugin\/)/.exec(file) ?? []
    if (folder === undefined) single.push(file)
    else folders.set(folder, (folders.get(folder) ?? 0) + 1)
  }
  return [...single, ...[...folders].map(([folder, count]) => `${folder} (${count} file${count === 1 ? '' : 's'})`)]
}

/** Where a link leads, if that is a plain file of the same commit. */
async function resolveLink(
  repository: Pick<UserRepository, 'path' | 'commit'>,
  link: TreeEntry,
  entries: TreeEntry[],
): Promise<string | undefined> {
  const target = path.posix.normalize(
    path.posix.join(path.posix.dirname(link.path), await readBlob(repository, link.path)),
  )
  return entries.find(entry => entry.path === target && entry.mode.startsWith('100'))?.path
}
