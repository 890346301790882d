import { DispatchError, exitCodes } from '../../error.ts'
import type { RunResult } from '../../exec.ts'
import { sanitize } from '../../text.ts'
import { MINUTE_MS, SECOND_MS } from '../../time.ts'
import { listUncommitted } from '../uncommitted.ts'
import { runUserGit } from '../user/user-commit.ts'
import { findCheckout } from '../user-repo.ts'

/** A repository of the user, and the remote that it is asked about. */
export interface RemoteRepository {
  path: string
  remote: string
}

/** The names of a remote with their commits. */
export interface RemoteRefs {
  /** `v1.2.3`, with the commit that the tag leads to. */
  tags: Map<string, string>
  /** The commits of all branches and tags. */
  commits: string[]
}

/**
 * The clone in this folder, with the remote of the upstream of its branch, else `origin`. Undefined where the folder is not the top
 * of a checkout. Exit 5 without a remote.
 */
export async function findRemote(folder: string): Promise<RemoteRepository | undefined> {
  const checkout = await findCheckout(folder)
  if (checkout?.path !== folder) return undefined
  const upstream = checkout.branch === null ? undefined : await readConfig(folder, `branch.${checkout.branch}.remote`)
  for (const remote of [upstream, 'origin'])
    if (remote && (await readConfig(folder, `remote.${remote}.url`))) return { path: folder, remote }
  throw new DispatchError(`${folder} has no remote that an update could come from`, {
    exitCode: exitCodes.conflict,
    remedy: 'Add one (`git remote add origin URL`), or name a tarball: dispatch update FILE.tgz',
  })
}

/** Ask a remote for its tags and branches. No password is asked for. Exit 8 if it does not answer, 124 if that takes too long. */
export async function readRemoteRefs({ path: cwd, remote }: RemoteRepository, end?: AbortSignal): Promise<RemoteRefs> {
  const args = ['ls-remote', '--heads', '--tags', remote]
  const ran = await runUserGit(args, {
    cwd,
    timeoutMs: ANSWER_TIMEOUT_MS,
    maxOutputBytes: MAX_REFS_BYTES,
    ...pass(end),
  })
  if (ran.exitCode !== 0) throw createRemoteError(ran, remote, 'did not answer')
  return parseRefs(ran.stdout)
}

/** Bring a tag of a remote as a tar archive with one top folder. No branch and no tag of the clone changes, and no hook runs. */
export async function archiveTag(
  { path: cwd, remote }: RemoteRepository,
  { tag, commit }: { tag: string; commit: string },
  file: string,
  end?: AbortSignal,
): Promise<void> {
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules']
  const fetched = await runUserGit(['-c', 'fetch.fsckObjects=true', 'fetch', ...options, remote, `refs/tags/${tag}`], {
    cwd,
    timeoutMs: FETCH_TIMEOUT_MS,
    ...pass(end),
  })
  if (fetched.exitCode !== 0) throw createRemoteError(fetched, remote, `did not send ${tag}`)
  const archived = await runUserGit(
    ['archive', '--format=tar', '--prefix=claude-dispatch/', `--output=${file}`, commit],
    { cwd, timeoutMs: ARCHIVE_TIMEOUT_MS, ...pass(end) },
    { GIT_LFS_SKIP_SMUDGE: '1' }, // Large files stay pointers: fetching them could take long.
  )
  if (archived.exitCode !== 0) throw createRemoteError(archived, remote, `sent ${tag}, which cannot be read`)
}

/**
 * What a checkout has and no remote does: tracked files that are not as committed, and commits as `commit 1a2b3c4 its subject`, a few
 * of them. `published` are commits that a remote is known to have; where none was asked, those of all tags count.
 */
export async function listOwnWork(checkout: string, published: string[]): Promise<string[]> {
  const changed = (await listUncommitted(checkout)).filter(line => !line.startsWith('?? '))
  const commits = await listUnpublished(checkout, published)
  return [...changed.map(line => line.slice(PORCELAIN_PREFIX_CHARS)), ...commits.map(commit => `commit ${commit}`)]
}

// --- internal ---

const ANSWER_TIMEOUT_MS = 30 * SECOND_MS
const FETCH_TIMEOUT_MS = 10 * MINUTE_MS
const ARCHIVE_TIMEOUT_MS = 10 * MINUTE_MS
const MAX_REFS_BYTES = 32 << 20
const MAX_NAMED_COUNT = 6
/** The two status letters and the blank before a path in `git status --porcelain`. */
const PORCELAIN_PREFIX_CHARS = 3

async function listUnpublished(cwd: string, published: string[]): Promise<string[]> {
  const options = [
    '--no-show-signature',
    '--ignore-missing',
    `--max-count=${MAX_NAMED_COUNT}`,
    '--format=%h %s',
    '--stdin',
  ]
  const input = published.map(commit => `^${commit}\n`).join('')
  const known = ['--remotes', ...(published.length === 0 ? ['--tags'] : [])]
  const ran = await runUserGit(['log', ...options, 'HEAD', '--not', ...known], { cwd, input })
  return ran.exitCode === 0 ? ran.stdout.split('\n').filter(Boolean) : []
}

const pass = (end: AbortSignal | undefined) => (end ? { end } : {})

/** `HASH TAB refs/tags/v1.0.0`, and `refs/tags/v1.0.0^{}` with the commit of an annotated tag. Pure. */
function parseRefs(text: string): RemoteRefs {
  const refs = text.split('\n').flatMap(line => {
    const [, hash, name] = /^([0-9a-f]{40,64})\trefs\/(.+)$/.exec(line) ?? []
    return hash && name ? [{ hash, name }] : []
  })
  const tags = new Map<string, string>()
  for (const { hash, name } of refs) {
    const [, tag, isPeeled] = /^tags\/(.+?)(\^\{\})?$/.exec(name) ?? []
    if (tag && (isPeeled || !tags.has(tag))) tags.set(tag, hash)
  }
  return { tags, commits: refs.map(({ hash }) => hash) }
}

async function readConfig(cwd: string, key: string): Promise<string | undefined> {
  const ran = await runUserGit(['config', '--get', key], { cwd })
  return ran.exitCode === 0 ? ran.stdout.replace(/\n$/, '') : undefined
}

function createRemoteError(ran: RunResult, remote: string, what: string): DispatchError {
  if (ran.startError)
    return new DispatchError('git is not installed, or not on PATH', {
      exitCode: exitCodes.dependency,
      remedy: 'Install it, then run the command again.',
    })
  const reason = ran.timedOut
    ? 'it ran out of time'
    : sanitize(ran.stderr).trim() || `git ended with ${ran.exitCode ?? ran.signal}`
  return new DispatchError(`the remote ${remote} ${what}: ${reason}`, {
    exitCode: ran.timedOut ? exitCodes.deadline : exitCodes.upstream,
    remedy: `Nothing was changed. Try it yourself: git fetch ${remote}. Without a network: dispatch update FILE.tgz`,
  })
}
