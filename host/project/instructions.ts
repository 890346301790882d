import path from 'node:path'
import { listTreeEntries, type RepositoryCommit, readBlob, type TreeEntry } from '../git/git.ts'
import { formatCount } from '../text.ts'

/** The instructions for agents in a repository: what is passed on, and what is not. */
interface Instructions {
  /** CLAUDE.md and AGENTS.md as text: those at the top, and on the way to the folder where the person was. */
  texts: { path: string; text: string }[]
  /** Paths of such files elsewhere in the tree. They are named, so that an agent who works there reads them. */
  nested: string[]
  /** Settings, hooks, servers and commands of the repository. They are never read, and listed for the user. */
  ignored: string[]
}

/** A commit, and where in its tree the person was. */
type StartingPoint = RepositoryCommit & { subfolder?: string }

/**
 * The instructions in a commit of the user's repository. claude starts without the settings of the project, because
 * those can run programs, and so it does not read these files either. dispatch passes them on as text.
 */
export async function readInstructions(repository: StartingPoint): Promise<Instructions> {
  const entries = await listTreeEntries(repository)
  const { passedOn, nested, ignored } = classifyEntries(entries, repository.subfolder)
  const maxChars = Math.min(MAX_INSTRUCTION_CHARS, Math.floor(MAX_TOTAL_CHARS / Math.max(1, passedOn.length)))
  const texts: Instructions['texts'] = []
  for (const entry of passedOn) {
    const file = entry.mode === '120000' ? await resolveLink(repository, entry, entries) : entry.path
    if (file === undefined || texts.some(known => known.path === file)) continue
    const text = await readBlob(repository, file)
    texts.push({
      path: file,
      text: text.length > maxChars ? `${text.slice(0, maxChars)}\n[cut here: the file is longer]` : text,
    })
  }
  return { texts, nested, ignored }
}

/**
 * Sort the files of a commit: `passedOn` as text, from the top down to the subfolder; `nested` are named, and `ignored`
 * listed for the user. Pure.
 */
export function classifyEntries(
  entries: TreeEntry[],
  subfolder = '',
): { passedOn: TreeEntry[]; nested: string[]; ignored: string[] } {
  const folders = listFoldersDownTo(subfolder)
  const names = folders.flatMap(folder => instructionNames.map(name => `${folder}${name}`))
  const passedOn = entries
    .filter(entry => names.includes(entry.path) && entry.mode !== '160000')
    .sort((a, b) => a.path.split('/').length - b.path.split('/').length)
  const files = entries.map(entry => entry.path)
  const nested = files
    .filter(file => /(^|\/)(CLAUDE|AGENTS)\.md$/.test(file) && !names.includes(file))
    .slice(0, MAX_NESTED_FILES)
  const ignored = folders.flatMap(folder => {
    const own = files.filter(file => file.startsWith(folder)).map(file => file.slice(folder.length))
    const found = own.filter(file => ignoredPatterns.some(pattern => pattern.test(file)))
    return groupByFolder(found).map(name => `${folder}${name}`)
  })
  return { passedOn, nested, ignored }
}

// --- internal ---

const instructionNames = ['.claude/CLAUDE.md', 'CLAUDE.md', 'AGENTS.md']

/** Characters of one file that are passed on. */
const MAX_INSTRUCTION_CHARS = 64 * 1024

/** Characters of all files together; they share it evenly. */
const MAX_TOTAL_CHARS = 256 * 1024

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

/** The top (empty) and each folder on the way, as prefixes of paths: `packages/` and `packages/web/`. */
function listFoldersDownTo(subfolder: string): string[] {
  const steps = subfolder.split('/').filter(Boolean)
  return ['', ...steps.map((_, index) => `${steps.slice(0, index + 1).join('/')}/`)]
}

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
