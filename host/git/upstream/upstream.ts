import { DispatchError, exitCodes } from '../../error.ts'
import { sanitize } from '../../text.ts'
import { runUserGit } from '../user/user-commit.ts'
import { createChoiceError, createRemoteError, hideUser } from './remote-error.ts'
import { runRemoteGit, type Transport } from './transport.ts'

/**
 * The remote for a branch: the one that it follows, else the usual one for pushes, else the only one, else `origin`. With
 * `isRemoteName` the branch is one of the remote; otherwise it is a local one, whose upstream must have the same name, because a branch
 * for one feature often follows the main branch. Exit 2 where that does not say it; `option` then names the branch.
 */
export async function findUpstream(
  repository: string,
  branch: string,
  isRemoteName: boolean,
  option = '--into',
): Promise<{ remote: string; branch: string }> {
  const read = async (key: string) =>
    (await runUserGit(['config', '--get', key], { cwd: repository })).stdout.replace(/\n$/, '')
  const [listed, own, followed, usual] = await Promise.all([
    runUserGit(['remote'], { cwd: repository }),
    read(`branch.${branch}.remote`),
    read(`branch.${branch}.merge`),
    read('remote.pushDefault'),
  ])
  const remotes = listed.stdout.split('\n').filter(Boolean)
  const merge = followed.replace(/^refs\/heads\//, '') || branch
  if (own !== '' && own !== '.') {
    if (!remotes.includes(own))
      throw createChoiceError(
        `branch ${branch} of ${repository} follows ${hideUser(own)}, which is no remote with a name`,
        `git remote add NAME ${hideUser(own)}, then: git branch --set-upstream-to NAME/${merge} ${branch}`,
      )
    if (isRemoteName || merge === branch) return { remote: own, branch }
    throw createChoiceError(
      `branch ${branch} follows ${own}/${merge}, which has another name`,
      `Name the branch of the remote: ${option} ${merge}, or ${option} ${branch}`,
    )
  }
  const [only] = remotes.length === 1 ? remotes : []
  const remote = [usual, only, 'origin'].find(name => name !== undefined && remotes.includes(name))
  if (remote !== undefined) return { remote, branch }
  if (remotes.length === 0)
    throw createChoiceError(
      `${repository} has no remote to land on`,
      'Add one: git remote add origin ADDRESS. Without one, dispatch apply and the letters of the session bring the work into this repository.',
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
      remedy: 'Name another one.',
    })
  throw createRemoteError(transport, ran, 'Nothing was changed.')
}

/** The names of the remotes, `origin` first. */
export async function listRemotes(repository: string): Promise<string[]> {
  const names = (await runUserGit(['remote'], { cwd: repository })).stdout.split('\n').filter(Boolean)
  return names.toSorted((a, b) => Number(b === 'origin') - Number(a === 'origin'))
}

/** Where a push of a branch goes if the user has said so: `branch.<name>.pushRemote` or `remote.pushDefault`; else `remote`. Exit 2. */
export async function findPushRemote(repository: string, branch: string, remote: string): Promise<string> {
  const remotes = (await runUserGit(['remote'], { cwd: repository })).stdout.split('\n')
  for (const key of [`branch.${branch}.pushRemote`, 'remote.pushDefault']) {
    const name = (await runUserGit(['config', '--get', key], { cwd: repository })).stdout.trim()
    if (name === '') continue
    if (remotes.includes(name)) return name
    throw createChoiceError(`${key} of ${repository} is ${name}, which is no remote`, `git config ${key} REMOTE`)
  }
  return remote
}

/** The address that the remote is fetched from, as git replaces it, without a password. Empty if there is no such remote. */
export async function readFetchAddress({ repository, remote }: Transport): Promise<string> {
  const ran = await runUserGit(['remote', 'get-url', remote], { cwd: repository })
  return hideUser(sanitize(ran.stdout.split('\n')[0] ?? ''))
}
