import { formatCount } from '#host/text.ts'
import type { WorkReader } from '#session/readonly.ts'
import { formatFileName } from '../format.ts'
import { buildFileAddress } from '../work/file-address.ts'
import { formatSize } from '../work/file-content.ts'
import { describeOrigin, type WorkChange } from './work.ts'

const ROWS_PER_PAGE_COUNT = 500

type TreeEntry = Awaited<ReturnType<WorkReader['listFolder']>>[number]

/** A folder of the work, as it was read. */
export interface FolderData {
  sessionId: string
  work: Pick<WorkReader, 'origin' | 'commit'>
  names: readonly string[]
  /** The entries of one page, in their order, and how many there are in all. */
  entries: readonly TreeEntry[]
  count: number
  /** From 1. */
  page: number
  /** By the hash of a file. */
  sizes: Map<string, number>
  changes: readonly WorkChange[]
}

export type FolderPage = ReturnType<typeof buildFolderPage>

/** The entries of one page of a folder, and its number: a number that does not exist becomes the nearest. Pure. */
export function selectEntries(all: readonly TreeEntry[], wanted: number) {
  const page = Math.min(Math.max(1, Number.isSafeInteger(wanted) ? wanted : 1), countPages(all.length))
  return { page, entries: all.slice((page - 1) * ROWS_PER_PAGE_COUNT, page * ROWS_PER_PAGE_COUNT) }
}

/** Build what `views/folder.eta` shows. Pure. */
export function buildFolderPage(data: FolderData) {
  const { sessionId, work, names, entries, count, page, sizes, changes } = data
  const prefix = names.map(name => `${name}/`).join('')
  const changed = collectChanges(prefix, changes)
  const address = buildFileAddress(sessionId, prefix)
  const pageCount = countPages(count)
  return {
    title: `${formatFileName(names.at(-1) ?? 'Files')} (${sessionId})`,
    id: sessionId,
    note: describeOrigin(work),
    crumbs: buildCrumbs(sessionId, names),
    summary: formatCount(count, 'entry'),
    rows: entries.map(({ name, kind, hash }) => ({
      name: formatFileName(kind === 'folder' ? `${name}/` : name),
      kind,
      address: buildFileAddress(sessionId, `${prefix}${name}${kind === 'folder' ? '/' : ''}`),
      size: kind === 'file' && sizes.has(hash) ? formatSize(sizes.get(hash) ?? 0) : '',
      change: changed.get(name) ?? '',
    })),
    deleted: [...changed].flatMap(([name, change]) =>
      change === 'deleted' && page === 1
        ? [{ name: formatFileName(name), address: buildFileAddress(sessionId, `${prefix}${name}`) }]
        : [],
    ),
    pages: pageCount === 1 ? '' : `Page ${page} of ${pageCount}`,
    previous: page > 1 ? `${address}?page=${page - 1}` : '',
    next: page < pageCount ? `${address}?page=${page + 1}` : '',
    refreshMs: 0,
  }
}

/** The way from the top of the tree to a path, each step with its address. Pure. */
export function buildCrumbs(sessionId: string, names: readonly string[]) {
  const steps = names.map((name, index) => {
    const path = `${names.slice(0, index + 1).join('/')}/`
    return { name: formatFileName(name), address: buildFileAddress(sessionId, path) }
  })
  return [{ name: 'Files', address: buildFileAddress(sessionId, '') }, ...steps]
}

// --- internal ---

function countPages(count: number): number {
  return Math.max(1, Math.ceil(count / ROWS_PER_PAGE_COUNT))
}

/** What changed in a folder, by the name of the entry; for a folder in it, that something below changed. */
function collectChanges(prefix: string, changes: readonly WorkChange[]): Map<string, string> {
  const changed = new Map<string, string>()
  for (const { path, status } of changes) {
    if (!path.startsWith(prefix)) continue
    const rest = path.slice(prefix.length)
    const end = rest.indexOf('/')
    if (end < 0) changed.set(rest, status)
    else changed.set(rest.slice(0, end), 'changes below')
  }
  return changed
}
