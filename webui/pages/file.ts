import { formatCount } from '#host/text.ts'
import type { WorkReader } from '#session/readonly.ts'
import { formatFileName } from '../format.ts'
import { buildFileAddress } from '../work/file-address.ts'
import { type DiffLine, formatSize } from '../work/file-content.ts'
import { buildCrumbs } from './folder.ts'
import { describeChange, describeOrigin, type WorkChange } from './work.ts'

/** How a file is shown. `page` is Markdown that was rendered. */
export type FileShape = 'change' | 'page' | 'image' | 'text'

type TreeEntry = NonNullable<Awaited<ReturnType<WorkReader['find']>>>

/** A file of the work, as it was read. */
export interface FileData {
  sessionId: string
  work: Pick<WorkReader, 'origin' | 'commit'>
  names: readonly string[]
  entry: TreeEntry
  /** The tree that it was found in: that of the work, or of the base if the work deleted it. */
  tree: string
  change: WorkChange | undefined
  /** Undefined for a submodule. */
  size: number | undefined
  shapes: FileShape[]
  shape: FileShape | undefined
  lines: string[]
  diff: DiffLine[]
  markdownHtml: string
  /** Addresses of the picture: before the work, and after it. */
  images: { label: string; address: string }[]
  remarks: string[]
  /** Addresses to download it, and what its pointer of Git LFS stands for; empty if that cannot be. */
  download: string
  lfsDownload: string
  /** A command that prints the content, if it is too large to be sent. */
  command: string
}

export type FilePage = ReturnType<typeof buildFilePage>

/** Build what `views/file.eta` shows. Pure. */
export function buildFilePage(data: FileData) {
  const { sessionId, work, names, entry, change, size, shapes, shape, lines } = data
  const name = formatFileName(names.at(-1) ?? '')
  const address = buildFileAddress(sessionId, names.join('/'))
  const facts: [string, string][] = [
    ['change', change ? describeChange(change) : ''],
    ['kind', kinds[entry.mode] ?? ''],
    ['size', size === undefined ? '' : `${formatSize(size)}${shape === 'text' ? `, ${describeLines(lines)}` : ''}`],
    [entry.kind === 'submodule' ? 'commit' : 'git hash', entry.hash],
  ]
  return {
    title: `${name} (${sessionId})`,
    id: sessionId,
    name,
    note: describeOrigin(work),
    crumbs: buildCrumbs(sessionId, names).slice(0, -1),
    facts: facts.filter(([, value]) => value !== ''),
    // A choice between one shape is no choice.
    tabs: (shapes.length > 1 ? shapes : []).map(each => ({
      label: tabLabels[each],
      address: `${address}?view=${each}`,
      isCurrent: each === shape,
    })),
    shape: shape ?? '',
    lines: shape === 'text' ? lines : [],
    diff: data.diff,
    markdownHtml: data.markdownHtml,
    images: data.images,
    remarks: data.remarks,
    download: data.download,
    lfsDownload: data.lfsDownload,
    command: data.command,
    refreshMs: 0,
  }
}

// --- internal ---

const kinds: Record<string, string> = {
  100755: 'executable file',
  120000: 'symbolic link, not followed',
  160000: 'submodule',
}

const tabLabels: Record<FileShape, string> = { change: 'Change', page: 'Rendered', image: 'Picture', text: 'Text' }

function describeLines(lines: string[]): string {
  return lines.length === 1 && lines[0] === '' ? 'empty' : formatCount(lines.length, 'line')
}
