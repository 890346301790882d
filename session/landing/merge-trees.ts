import { decodeNames } from '#host/file-name.ts'
import { tryGit } from '#host/git'
import { requireUnmodifiedRepository, runBareGit, type SessionRepository } from '../repository/bare-git.ts'

/** The merged tree, or the files that do not merge. */
export type MergeResult = { tree: string } | { conflicts: string[] }

/**
 * What a commit changed since its parent, on top of another tree: a merge of three trees without a work tree. No merge driver and no
 * attribute decides anything, so two changes of one place are a conflict and never a guess.
 */
export async function applyChange(
  repository: SessionRepository,
  { from, to, onto }: { from: string; to: string; onto: string },
): Promise<MergeResult> {
  // git takes the common ancestor as the base, so both sides get `from` as their parent.
  const createSide = (commit: string) =>
    runBareGit(repository, ['commit-tree', `${commit}^{tree}`, '-p', from, '-m', 'a side of a merge'])
  const [ours, theirs] = await Promise.all([createSide(onto), createSide(to)])
  requireUnmodifiedRepository(repository)
  const ran = await tryGit(
    [
      ...['--git-dir', repository.bareRepository, '-c', 'merge.renames=true', '-c', 'merge.directoryRenames=conflict'],
      ...['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', ours, theirs],
    ],
    { encoding: 'latin1', maxOutputBytes: MAX_LIST_BYTES },
  )
  const [tree = '', ...conflicts] = decodeNames(ran.stdout).split('\0').filter(Boolean)
  if (ran.exitCode === 0) return { tree }
  if (ran.exitCode === 1) return { conflicts: [...new Set(conflicts)] }
  throw new Error(`git merge-tree failed in ${repository.bareRepository}: ${ran.stderr.trim()}`)
}

const MAX_LIST_BYTES = 16 * 1024 * 1024
