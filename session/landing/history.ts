import { findSecrets } from '#host/secrets'
import { formatNames } from '#host/text.ts'
import { type Contract, listChangesOutsideScopes } from '../contract/index.ts'
import type { SessionPaths } from '../paths.ts'
import { runBareGit } from '../repository/bare-git.ts'
import { listCommitFiles } from '../repository/commit-files.ts'
import { listWrittenFiles, type WrittenFile } from '../repository/written-files.ts'
import { listWorkCommits } from './work-commits.ts'

/** Larger files are data and are not searched. */
const MAX_SEARCHED_BYTES = 4 * 1024 * 1024

/**
 * Why the commits of the work must not be published one by one; undefined if they may. A verdict is about the last tree. What an
 * earlier commit wrote and a later one removed was not judged: files outside the scopes, and secrets.
 */
export async function findUnjudgedHistory(
  paths: SessionPaths,
  contract: Contract,
  { base, commit }: { base: string; commit: string },
  knownSecrets: readonly string[],
): Promise<string | undefined> {
  const written = await listWrittenFiles(paths, base, commit)
  const baseFiles = (await listCommitFiles(paths, base)).map(file => file.path)
  const names = [...new Set(written.map(file => file.path))]
  const changes = names.map(name => ({
    path: name,
    change: baseFiles.includes(name) ? ('changed' as const) : ('added' as const),
  }))
  const outside = listChangesOutsideScopes(contract, { baseFiles, changes })
  if (outside.length > 0)
    return `its commits wrote files outside the scopes on the way: ${formatNames(outside.map(file => file.path))}`
  const last = new Set((await runBareGit(paths, ['ls-tree', '-r', '--format=%(objectname)', commit])).split('\n'))
  for (const file of written.filter(({ blob }) => !last.has(blob)))
    if (findSecrets(await readText(paths, file), knownSecrets).length > 0)
      return `a commit wrote what looks like a secret into ${formatNames([file.path])}, and a later one removed it`
  return undefined
}

/** Why the messages of these commits must not be published as they are; undefined if they may. */
export async function findSecretMessage(
  paths: SessionPaths,
  work: { base: string; commit: string },
  knownSecrets: readonly string[],
): Promise<string | undefined> {
  for (const { commit, message } of await listWorkCommits(paths, work))
    if (findSecrets(message, knownSecrets).length > 0)
      return `the message of its commit ${commit.slice(0, 10)} has what looks like a secret`
  return undefined
}

// --- internal ---

async function readText(paths: SessionPaths, { blob }: WrittenFile): Promise<string> {
  const size = Number(await runBareGit(paths, ['cat-file', '-s', blob]))
  return size > MAX_SEARCHED_BYTES ? '' : runBareGit(paths, ['cat-file', 'blob', blob])
}
