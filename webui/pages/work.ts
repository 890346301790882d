import { formatCount } from '#host/text.ts'
import type { WorkReader } from '#session/readonly.ts'
import { formatFileName } from '../format.ts'
import { buildFileAddress } from '../work/file-address.ts'

/** The first files of a change are enough for a page. The folders mark all of them. */
const MAX_LISTED_FILES = 300
const SHORT_HASH_CHARS = 10

type WorkChanges = Awaited<ReturnType<WorkReader['listChanges']>>
export type WorkChange = WorkChanges['files'][number]

/** What is read of a session's work for its page. */
export interface WorkData {
  /** Undefined before there is a base. */
  work: Pick<WorkReader, 'origin' | 'commit' | 'tree'> | undefined
  changes: WorkChanges | undefined
  /** Why its files cannot be shown; empty if they can. */
  problem: string
}

/** Build what `views/work.eta` shows: which tree this is, and the files that the work changed. Pure. */
export function buildWorkSection(sessionId: string, { work, changes, problem }: WorkData) {
  const files = changes?.files ?? []
  const counted = files.filter(({ addedLines }) => addedLines !== undefined)
  const sum = (field: 'addedLines' | 'deletedLines') => counted.reduce((total, file) => total + (file[field] ?? 0), 0)
  return {
    problem,
    note: work ? describeOrigin(work) : 'There are no files yet.',
    address: work && problem === '' ? buildFileAddress(sessionId, '') : '',
    summary:
      changes && files.length > 0 ? `${formatCount(files.length, 'file')}${changes.isCut ? ' or more' : ''}` : '',
    added: counted.length > 0 ? `+${sum('addedLines')}` : '',
    deleted: counted.length > 0 ? `−${sum('deletedLines')}` : '',
    hasNoChange: changes !== undefined && files.length === 0,
    files: files.slice(0, MAX_LISTED_FILES).map(file => buildChangeRow(sessionId, file)),
    hiddenCount: Math.max(0, files.length - MAX_LISTED_FILES),
    isCounted: changes?.isCounted ?? true,
  }
}

/** Which tree a page shows, for people. Pure. */
export function describeOrigin({ origin, commit }: Pick<WorkReader, 'origin' | 'commit'>): string {
  const short = commit.slice(0, SHORT_HASH_CHARS)
  if (origin === 'judged') return `The tree that was judged, commit ${short}.`
  if (origin === 'accepted') return `Not judged yet: the last accepted commit, ${short}.`
  return `No work was submitted yet: these are the files of the base, commit ${short}.`
}

/** What the work did to a file, for people. Pure. */
export function describeChange({ status, oldPath, oldMode, mode }: WorkChange): string {
  if (status === 'renamed') return `renamed from ${formatFileName(oldPath)}`
  const modes = [oldMode, mode]
  if (status !== 'changed' || oldMode === mode) return status
  if (modes.includes('120000')) return mode === '120000' ? 'changed, now a link' : 'changed, no link any more'
  if (modes.includes('160000')) return mode === '160000' ? 'changed, now a submodule' : 'changed, no submodule any more'
  return mode === '100755' ? 'changed, made executable' : 'changed, not executable any more'
}

// --- internal ---

function buildChangeRow(sessionId: string, change: WorkChange) {
  const { path, status, oldPath, addedLines, deletedLines } = change
  return {
    path: formatFileName(path),
    status,
    oldPath: status === 'renamed' ? formatFileName(oldPath) : '',
    address: buildFileAddress(sessionId, path),
    added: addedLines === undefined ? '' : `+${addedLines}`,
    deleted: deletedLines === undefined ? '' : `−${deletedLines}`,
  }
}
