import path from 'node:path'
import { contentAt, type Entry, entriesAt, type Repository } from './git.ts'

/** What a repository says to agents, as far as we hand it on, and what we do not. */
interface Instructions {
  /** CLAUDE.md and AGENTS.md of the top, as text. */
  texts: { path: string; text: string }[]
  /** Others of these names, deeper in the tree: named, so that whoever works there reads them. */
  deeper: string[]
  /** Settings, hooks, servers and commands of the repository's own: never read, and listed for the user. */
  ignored: string[]
}

/**
 * The instructions in a commit of the user's repository. Claude is started without the project's settings, because those
 * can run programs, and then it does not read these files either: so we hand them on as text.
 */
export async function instructionsOf(repository: Pick<Repository, 'path' | 'commit'>): Promise<Instructions> {
  const entries = await entriesAt(repository)
  const { own, deeper, ignored } = sortEntries(entries)
  const texts: Instructions['texts'] = []
  for (const entry of own) {
    const file = entry.mode === '120000' ? await targetOf(repository, entry, entries) : entry.path
    if (file === undefined || texts.some(known => known.path === file)) continue
    const text = await contentAt(repository, file)
    texts.push({
      path: file,
      text: text.length > longest ? `${text.slice(0, longest)}\n[cut here: the file goes on]` : text,
    })
  }
  return { texts, deeper, ignored }
}

/** Which files hand on their text, which are only named, which are ignored. Pure. */
export function sortEntries(entries: Entry[]): { own: Entry[]; deeper: string[]; ignored: string[] } {
  const names = new Set(['CLAUDE.md', 'AGENTS.md', '.claude/CLAUDE.md'])
  const own = entries.filter(entry => names.has(entry.path) && entry.mode !== '160000')
  const deeper = entries
    .map(entry => entry.path)
    .filter(file => /(^|\/)(CLAUDE|AGENTS)\.md$/.test(file) && !names.has(file))
    .slice(0, 50)
  const ignored = entries.map(entry => entry.path).filter(file => ours.some(pattern => pattern.test(file)))
  return { own, deeper, ignored: grouped(ignored) }
}

// --- internal ---

/** Characters of one file that are handed on. */
const longest = 64 * 1024

/** What claude would take from a project if we let it. */
const ours = [
  /^\.claude$/, // A link: it leads to a folder of such files.
  /^\.claude\/settings[^/]*\.json$/,
  /^\.mcp\.json$/,
  /^\.claude\/(agents|commands|skills|rules|hooks|output-styles|plugins)\//,
  /^\.claude-plugin\//,
  /^CLAUDE\.local\.md$/,
]

/** `.claude/commands/ (3 files)` in place of three names. */
function grouped(files: string[]): string[] {
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
async function targetOf(
  repository: Pick<Repository, 'path' | 'commit'>,
  link: Entry,
  entries: Entry[],
): Promise<string | undefined> {
  const target = path.posix.normalize(
    path.posix.join(path.posix.dirname(link.path), await contentAt(repository, link.path)),
  )
  return entries.find(entry => entry.path === target && entry.mode.startsWith('100'))?.path
}
