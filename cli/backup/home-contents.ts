import { isSessionId } from '#session'

/**
 * What becomes of each name at the top of a home. `copy`: it cannot be made again. `secret`: only with --with-secrets. `leave`: it
 * is made again, or is about processes of this machine.
 */
const contents: [name: RegExp, kind: ContentKind][] = [
  [/^(workspace|projects|issues|pull-requests|landing|outbox|repositories|confirmed|external-events)$/, 'copy'],
  [/^(inbox-told|queue-told|landing-told|issues-told|pull-request-told|paused|installed)\.json$/, 'copy'],
  [/^queue\.db$|^queue\.db(-wal)?\.damaged$/, 'copy'],
  [/^(home-id|inbox-secret)$/, 'copy'],
  [/^(\.env|claude-token)$/, 'secret'],
  [/^index\.db|^queue\.db-(wal|shm|journal)$|^queue-changed$|^(tidied|web|daemon)\.json$|^tmux/, 'leave'],
  [/^(prepared|daemon|web|logs|cache|claude|tmp|backup-lease|login-lease)$/, 'leave'],
  [/^\.tmp-/, 'leave'],
]

/** What the files of a queue that cannot be read are called in a backup, and where they are put out of the way, by their endings. */
export const DAMAGED_QUEUE = { '': 'queue.db.damaged', '-wal': 'queue.db-wal.damaged' }

export type ContentKind = 'copy' | 'secret' | 'leave'

/** What becomes of a name at the top of a home; undefined for one that dispatch does not know. Pure. */
export function classifyHomeName(name: string): ContentKind | undefined {
  return contents.find(([pattern]) => pattern.test(name))?.[1]
}

/** May a backup hold a unit of this name? What a damaged or forged one names otherwise is never written. Pure. */
export function isUnitName(name: string): boolean {
  const session = /^workspace\/([^/]+)$/.exec(name)?.[1]
  if (session !== undefined) return isSessionId(session)
  return name !== 'workspace' && ['copy', 'secret'].includes(classifyHomeName(name) ?? '')
}

/** What a copy leaves out: `all` of it, or its `contents`, so that an empty folder stays; undefined if it is copied. */
export type LeftOut = 'all' | 'contents' | undefined

/** What is left out of a session, by the path in it: processes, temporary files, locks of git, and `made`, below outputs/. Pure. */
export function classifySessionPath(file: string, made: ReadonlySet<string>): LeftOut {
  if (file === '.runner-lease' || /^workers\/[^/]+\/process\.json$/.test(file)) return 'all'
  if (file === 'tmp' || /^workers\/[^/]+\/tmp$/.test(file)) return 'contents'
  if (/(^|\/)(\.git|repository\.git)\/(.*\/)?[^/]+\.lock$/.test(file)) return 'all'
  if (file.startsWith('outputs/')) return made.has(file.slice('outputs/'.length)) ? 'all' : undefined
  return /(^|\/)\.tmp-[0-9a-f]+$/.test(file) ? 'all' : undefined
}

/** What is left out of the other units: leases, and what a write that was cut off has left. Pure. */
export function classifyOtherPath(unit: string, file: string): LeftOut {
  if (unit === 'outbox' && file === 'deliverer') return 'all'
  if (unit === 'landing' && /^[^/]+\/lander$/.test(file)) return 'all'
  if ((unit === 'issues' || unit === 'pull-requests') && /^(splits\/)?[^/]+\.lease(\/|$)/.test(file)) return 'all'
  return /(^|\/)\.tmp-[0-9a-f]+$/.test(file) ? 'all' : undefined
}

/** Files that only dispatch writes, and never again, so that several places may share one by hard links. Pure. */
export function mayBeShared(unit: string, file: string): boolean {
  return unit === 'repositories' || /^(base-objects|evidence\/repository\.git\/objects)\//.test(file)
}
