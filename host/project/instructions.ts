import path from 'node:path'
import { listTreeEntries, type RepositoryCommit, readBlob, type TreeEntry } from '../git/git.ts'
import { formatCount } from '../text.ts'

/** The instructions for agents in a repository: what is passed on, and what is not. */
interface Instructions {
  /** CLAUDE.md and AGENTS.md at the top, as text. */
  texts: { path: string; text: string }[]
  /** Paths of such files deeper in the tree. They are named, so that an agent who works there reads them. */
  nested: string[]
  /** Settings, hooks, servers and commands of the repository. They are never read, and listed for the user. */
  ignored: string[]
}

/**
 * The instructions in a commit of the user's repository. claude starts without the settings of the project, because
 * those can run programs, and so it does not read these files either. dispatch passes them on as text.
 */
export async function readInstructions(repository: RepositoryCommit): Promise<Instructions> {
  const entries = await listTreeEntries(repository)
  const { top, nested, ignored } = classifyEntries(entries)
  const texts: Instructions['texts'] = []
  for (const entry of top) {
    const file = entry.mode === '120000' ? await resolveLink(repository, entry, entries) : entry.path
    if (file === undefined || texts.some(known => known.path === file)) continue
    const text = await readBlob(repository, file)
    texts.push({
      path: file,
      text:
        text.length > MAX_INSTRUCTION_CHARS
          ? `${text.slice(0, MAX_INSTRUCTION_CHARS)}\n[cut here: the file is longer]`
          : text,
    })
  }
  return { texts, nested, ignored }
}

/** Sort the files of a commit: `top` is passed on as text, `nested` named, `ignored` listed for the user. Pure. */
export function classifyEntries(entries: TreeEntry[]): { top: TreeEntry[]; nested: string[]; ignored: string[] } {
  const topNames = new Set(['CLAUDE.md', 'AGENTS.md', '.claude/CLAUDE.md'])
  const top = entries.filter(entry => topNames.has(entry.path) && entry.mode !== '160000')
  const files = entries.map(entry => entry.path)
  const nested = files
    .filter(file => /(^|\/)(CLAUDE|AGENTS)\.md$/.test(file) && !topNames.has(file))
    .slice(0, MAX_NESTED_FILES)
  const ignored = files.filter(file => ignoredPatterns.some(pattern => pattern.test(file)))
  return { top, nested, ignored: groupByFolder(ignored) }
}

// --- internal ---

/** Characters of one file that are passed on. */
const MAX_INSTRUCTION_CHARS = 64 * 1024

const MAX_NESTED_FILES = 50

/** What claude would load from a project if it could. */
const ignoredPatterns = [
  /^\.claude$/, // A link to a folder of such files.
  /^\.claude\/settings[^/]*\.json$/,
  /^\.mcp\.json$/,
  /^\.claude\/(agents|commands|skills|rules|hooks|output-styles|plugins)\//,
  /^\.claude-plugin\//,
  /^CLAUDE\.local\.md$/,
]

/** `.claude/commands/ (3 files)` instead of three names. */
function groupByFolder(files: string[]): string[] {
  const folders = new Map<string, number>()
  const single: string[] = []
  for (const file of files) {
    const [folder] = /^(\.claude\/[^/]+\/|\.claude-plugin\/)/.exec(file) ?? []
    if (folder === undefined) single.push(file)
    else folders.set(folder, (folders.get(folder) ?? 0) + 1)
  }
  return [...single, ...[...folders].map(([folder, count]) => `${folder} (${formatCount(count, 'file')})`)]
}

/** The target of a link, if it is a regular file of the same commit. */
async function resolveLink(
  repository: RepositoryCommit,
  link: TreeEntry,
  entries: TreeEntry[],
): Promise<string | undefined> {
  const target = path.posix.normalize(
    path.posix.join(path.posix.dirname(link.path), await readBlob(repository, link.path)),
  )
  return entries.find(entry => entry.path === target && entry.mode.startsWith('100'))?.path
}
