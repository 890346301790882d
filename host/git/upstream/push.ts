import type { RunResult } from '../../exec.ts'
import { sanitize } from '../../text.ts'
import { isAncestor } from './ancestor.ts'
import { createRemoteError, hideUser } from './remote-error.ts'
import { runRemoteGit, type Transport } from './transport.ts'

/**
 * What came of a push: done; the branch seems to have moved meanwhile; or the remote refused it. `reason` is what it said.
 */
export type PushResult = { kind: 'pushed' } | { kind: 'moved' | 'refused'; reason: string }

/**
 * Push exactly this commit to a branch, which must still be at `expected`, an ancestor of the commit. Nothing is overwritten: where
 * another person has moved the branch, also back, it is refused. Exit 6 where the remote cannot be reached.
 */
export async function pushCommit(
  gitFolder: string,
  transport: Transport,
  { commit, branch, expected }: { commit: string; branch: string; expected: string },
): Promise<PushResult> {
  const ref = `refs/heads/${branch}`
  if (!(await isAncestor(gitFolder, expected, commit))) throw new Error(`${commit} does not descend from ${expected}`)
  return pushWithLease(gitFolder, transport, { commit, ref, expected })
}

/**
 * Find out whether a push to a branch, which was just fetched and is at `tip`, would get through: exit 6 where its key, its right or its
 * address is missing. Nothing is pushed, and no hook runs on either side.
 */
export async function requirePush(
  gitFolder: string,
  transport: Transport,
  { branch, tip }: { branch: string; tip: string },
): Promise<void> {
  const ref = `refs/heads/${branch}`
  const ran = await runPush(gitFolder, transport, { commit: tip, ref, expected: tip }, ['--dry-run'])
  if (findResult(ran, tip, ref) === undefined) throw createRemoteError(transport, ran, 'Nothing was changed.', ref)
}

/**
 * Push this commit to a branch that is at `expected`, or that does not exist where that is undefined. What is there is replaced: only a
 * commit that dispatch has pushed itself may be named. Exit 6 where the remote cannot be reached.
 */
export function publishBranch(
  gitFolder: string,
  transport: Transport,
  { commit, branch, expected = '' }: { commit: string; branch: string; expected: string | undefined },
): Promise<PushResult> {
  return pushWithLease(gitFolder, transport, { commit, ref: `refs/heads/${branch}`, expected })
}

/** The commit at which a branch of the remote is; undefined if there is no such branch. Exit 6 where the remote cannot be reached. */
export async function readTip(gitFolder: string, transport: Transport, branch: string): Promise<string | undefined> {
  const ref = `refs/heads/${branch}`
  const ran = await runRemoteGit(gitFolder, transport, ['ls-remote', '--quiet', transport.remote, ref])
  if (ran.exitCode !== 0) throw createRemoteError(transport, ran, 'Nothing was changed.')
  const line = ran.stdout.split('\n').find(each => each.endsWith(`\t${ref}`))
  return line?.split('\t')[0]
}

// --- internal ---

const MAX_REASON_CHARS = 2000

/** How git words a push that came too late, and one that met another at the same moment. */
const movedPattern =
  /\((stale info|fetch first|non-fast-forward)\)|cannot lock ref|failed to update ref|reference already exists/

/** `expected` is empty for a reference that must not be there. */
interface LeasedPush {
  commit: string
  ref: string
  expected: string
}

function runPush(
  gitFolder: string,
  transport: Transport,
  { commit, ref, expected }: LeasedPush,
  options: string[] = [],
): Promise<RunResult> {
  return runRemoteGit(gitFolder, transport, [
    'push',
    ...options,
    '--porcelain',
    '--no-verify',
    '--no-follow-tags',
    '--no-signed',
    '--recurse-submodules=no',
    `--force-with-lease=${ref}:${expected}`,
    transport.remote,
    `${commit}:${ref}`,
  ])
}

/** What git reports about the branch; undefined where it did not come so far. */
function findResult({ stdout }: RunResult, commit: string, ref: string): string | undefined {
  return stdout.split('\n').find(each => each.includes(`\t${commit}:${ref}\t`))
}

async function pushWithLease(gitFolder: string, transport: Transport, push: LeasedPush): Promise<PushResult> {
  const ran = await runPush(gitFolder, transport, push)
  const line = findResult(ran, push.commit, push.ref)
  if (line === undefined) {
    const consequence = 'It is not known whether the commit arrived. Run the same command again.'
    throw createRemoteError(transport, ran, consequence, push.ref)
  }
  if (!line.startsWith('!')) return { kind: 'pushed' }
  const summary = line.split('\t')[2] ?? ''
  const said = ran.stderr.split('\n').flatMap(text => /^remote: ?(.*?)\s*$/.exec(text)?.[1] ?? [])
  const reason = hideUser(sanitize([summary, ...said].join('\n').trim())).slice(0, MAX_REASON_CHARS)
  return { kind: movedPattern.test(summary) ? 'moved' : 'refused', reason }
}
