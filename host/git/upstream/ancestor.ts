import { tryGit } from '../git.ts'

/** Does the history of `descendant` have this commit? A commit is in its own. */
export async function isAncestor(gitFolder: string, commit: string, descendant: string): Promise<boolean> {
  return (await tryGit(['--git-dir', gitFolder, 'merge-base', '--is-ancestor', commit, descendant])).exitCode === 0
}
