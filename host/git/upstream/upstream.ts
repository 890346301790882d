import { DispatchError, exitCodes } from '../../error.ts'
import { sanitize } from '../../text.ts'
import { git, tryGit } from '../git.ts'
import { runUserGit } from '../user/user-commit.ts'
import { runRemoteGit, type Transport } from './transport.ts'

/** What came of a push: done; the branch had moved meanwhile; or the other side refused it, and says why. */
export type PushResult = { kind: 'pushed' } | { kind: 'moved' } | { kind: 'refused'; reason: string }

/**
 * The remote and the branch there that a local branch follows: as configured for that branch, else the remote for pushes, else the
 * only one, else `origin`. Exit 2 without a remote.
 */
export async function findUpstream(repository: string, branch: string): Promise<{ remote: string; branch: string }> {
  const read = async (key: string) => (await tryGit(['config', '--get', key], { cwd: repository })).stdout.trim()
  const remotes = (await git(['remote'], { cwd: repository })).split('\n').filter(Boolean)
  const own = await read(`branch.${branch}.remote`)
  if (own !== '' && own !== '.' && remotes.includes(own)) {
    const merge = await read(`branch.${branch}.merge`)
    return { remote: own, branch: merge.replace(/^refs\/heads\//, '') || branch }
  }
  const usual = await read('remote.pushDefault')
  const [only] = remotes.length === 1 ? remotes : []
  const remote = [usual, only, 'origin'].find(name => name !== undefined && remotes.includes(name))
  if (remote !== undefined) return { remote, branch }
  throw new DispatchError(
    remotes.length === 0
      ? `${repository} has no remote to land on`
      : `${repository} has several remotes (${remotes.join(', ')}), and none is named for branch ${branch}`,
    {
      exitCode: exitCodes.usage,
      remedy:
        remotes.length === 0
          ? 'To bring the work into this repository: dispatch apply'
          : `Name one: git branch --set-upstream-to REMOTE/${branch} ${branch}`,
    },
  )
}

/** The address that a push to this remote goes to, without a password in it. */
export async function describeRemote({ repository, remote }: Transport): Promise<string> {
  const ran = await runUserGit(['remote', 'get-url', '--push', remote], { cwd: repository })
  return sanitize(ran.stdout.trim().split('\n')[0] ?? '').replace(/^(\w+:\/\/)[^/@]*@/, '$1')
}

/** Fetch a branch of the remote into `ref`. Exit 4 where the remote has no such branch, 6 where it cannot be reached. */
export async function fetchBranch(gitFolder: string, transport: Transport, branch: string, ref: string): Promise<void> {
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-maintenance']
  const refspec = `+refs/heads/${branch}:${ref}`
  const ran = await runRemoteGit(gitFolder, transport, ['fetch', ...options, transport.remote, refspec])
  if (ran.exitCode === 0) return
  if (/couldn't find remote ref/.test(ran.stderr))
    throw new DispatchError(`${transport.remote} has no branch ${branch}`, {
      exitCode: exitCodes.notFound,
      remedy: 'Name another one: --into BRANCH',
    })
  throw createRemoteError(transport, ran.timedOut ? 'it took longer than ten minutes' : ran.stderr)
}

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
  const isDescendant = await tryGit(['--git-dir', gitFolder, 'merge-base', '--is-ancestor', expected, commit])
  if (isDescendant.exitCode !== 0) throw new Error(`${commit} does not descend from ${expected}`)
  const ran = await runRemoteGit(gitFolder, transport, [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-follow-tags',
    '--no-signed',
    '--recurse-submodules=no',
    `--force-with-lease=${ref}:${expected}`,
    transport.remote,
    `${commit}:${ref}`,
  ])
  const line = ran.stdout.split('\n').find(each => each.includes(`\t${commit}:${ref}\t`))
  if (line === undefined) {
    if (ran.timedOut) throw createRemoteError(transport, 'it took longer than ten minutes')
    throw createRemoteError(transport, ran.stderr)
  }
  if (!line.startsWith('!')) return { kind: 'pushed' }
  const summary = line.split('\t')[2] ?? ''
  if (
    /\((stale info|fetch first|non-fast-forward)\)|cannot lock ref|failed to update ref|reference already exists/.test(
      summary,
    )
  )
    return { kind: 'moved' }
  const said = ran.stderr.split('\n').flatMap(text => /^remote: ?(.*?)\s*$/.exec(text)?.[1] ?? [])
  return { kind: 'refused', reason: sanitize([summary, ...said].join('\n').trim()).slice(0, MAX_REASON_CHARS) }
}

// --- internal ---

const MAX_REASON_CHARS = 2000

function createRemoteError({ remote, repository }: Transport, stderr: string): DispatchError {
  const reason = sanitize(stderr.trim()).replaceAll(/(\w+:\/\/)[^\s/@]*@/g, '$1') || 'git gives no reason'
  return new DispatchError(`remote ${remote} of ${repository} cannot be used: ${reason}`, {
    exitCode: exitCodes.dependency,
    remedy: `Nothing was changed. To try it: git -C ${repository} fetch ${remote}`,
  })
}
