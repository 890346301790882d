import { DispatchError, exitCodes } from '../../error.ts'
import { sanitize } from '../../text.ts'
import { isDiskProblem, tryGit } from '../git.ts'
import { runUserGit } from '../user/user-commit.ts'
import { runRemoteGit, type Transport } from './transport.ts'

/**
 * What came of a push: done; the branch seems to have moved meanwhile; or the other side refused it. `reason` is what it said.
 */
export type PushResult = { kind: 'pushed' } | { kind: 'moved' | 'refused'; reason: string }

/**
 * The remote for a branch: the one that it follows, else the usual one for pushes, else the only one, else `origin`. With
 * `isRemoteName` the branch is one of the remote; otherwise it is a local one, whose upstream must have the same name, because a branch
 * for one feature often follows the main branch. Exit 2 where that does not say it.
 */
export async function findUpstream(
  repository: string,
  branch: string,
  isRemoteName: boolean,
): Promise<{ remote: string; branch: string }> {
  const read = async (key: string) =>
    (await runUserGit(['config', '--get', key], { cwd: repository })).stdout.replace(/\n$/, '')
  const remotes = (await runUserGit(['remote'], { cwd: repository })).stdout.split('\n').filter(Boolean)
  const own = await read(`branch.${branch}.remote`)
  const merge = (await read(`branch.${branch}.merge`)).replace(/^refs\/heads\//, '') || branch
  if (own !== '' && own !== '.') {
    if (!remotes.includes(own))
      throw createChoiceError(
        `branch ${branch} of ${repository} follows ${hideUser(own)}, which is no remote with a name`,
        `git remote add NAME ${hideUser(own)}, then: git branch --set-upstream-to NAME/${merge} ${branch}`,
      )
    if (isRemoteName || merge === branch) return { remote: own, branch }
    throw createChoiceError(
      `branch ${branch} follows ${own}/${merge}, which has another name`,
      `Name the branch of the remote: --into ${merge}, or --into ${branch}`,
    )
  }
  const usual = await read('remote.pushDefault')
  const [only] = remotes.length === 1 ? remotes : []
  const remote = [usual, only, 'origin'].find(name => name !== undefined && remotes.includes(name))
  if (remote !== undefined) return { remote, branch }
  if (remotes.length === 0)
    throw createChoiceError(
      `${repository} has no remote to land on`,
      'To bring the work into this repository: dispatch apply',
    )
  throw createChoiceError(
    `${repository} has several remotes (${remotes.join(', ')}), and none is named for branch ${branch}`,
    `Name one: git config remote.pushDefault REMOTE`,
  )
}

/** The address that a push to this remote goes to, without a password in it. Exit 2 if it is not one address. */
export async function describeRemote({ repository, remote }: Transport): Promise<string> {
  const ran = await runUserGit(['remote', 'get-url', '--push', '--all', remote], { cwd: repository })
  const addresses = ran.stdout.split('\n').filter(Boolean)
  if (addresses.length === 1) return hideUser(sanitize(addresses[0] ?? ''))
  throw createChoiceError(
    `remote ${remote} of ${repository} has ${addresses.length} addresses for pushes`,
    'A landing is one push that is done or not done. Use a remote with one address.',
  )
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
  throw createRemoteError(transport, ran, 'Nothing was changed.')
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
  if (line === undefined)
    throw createRemoteError(transport, ran, 'It is not known whether the commit arrived. Run the same command again.')
  if (!line.startsWith('!')) return { kind: 'pushed' }
  const summary = line.split('\t')[2] ?? ''
  const said = ran.stderr.split('\n').flatMap(text => /^remote: ?(.*?)\s*$/.exec(text)?.[1] ?? [])
  const reason = hideUser(sanitize([summary, ...said].join('\n').trim())).slice(0, MAX_REASON_CHARS)
  return { kind: movedPattern.test(summary) ? 'moved' : 'refused', reason }
}

// --- internal ---

const MAX_REASON_CHARS = 2000

/** How git words a push that came too late, and one that met another at the same moment. */
const movedPattern =
  /\((stale info|fetch first|non-fast-forward)\)|cannot lock ref|failed to update ref|reference already exists/

/** Addresses without names and passwords. One that is no valid URL loses everything up to its last `@`. Pure. */
function hideUser(text: string): string {
  return text.replace(/[\w+.-]+:\/\/[^\s'"]+/g, address => {
    const url = URL.parse(address)
    if (url === null) return address.replace(/^([\w+.-]+:\/\/).*@/, '$1')
    if (url.username === '' && url.password === '') return address
    url.username = ''
    url.password = ''
    return url.href.includes('@') ? address.replace(/^([\w+.-]+:\/\/).*@/, '$1') : url.href
  })
}

function createChoiceError(message: string, remedy: string): DispatchError {
  return new DispatchError(message, { exitCode: exitCodes.usage, remedy })
}

function createRemoteError(
  { remote, repository }: Transport,
  { stderr, timedOut }: { stderr: string; timedOut: boolean },
  consequence: string,
): DispatchError {
  if (isDiskProblem(stderr) && !/^remote:/m.test(stderr))
    return new DispatchError(`git cannot write: ${sanitize(stderr.trim())}`, {
      exitCode: exitCodes.storage,
      remedy: `${consequence} Make room, then run the same command again.`,
    })
  const reason = timedOut
    ? 'it took longer than ten minutes'
    : hideUser(sanitize(stderr.trim())) || 'git gives no reason'
  return new DispatchError(`remote ${remote} of ${repository} cannot be used: ${reason}`, {
    exitCode: exitCodes.dependency,
    remedy: `${consequence} To try it: git -C ${repository} fetch ${remote}`,
  })
}
