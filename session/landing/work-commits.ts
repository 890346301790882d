import { runBareGit, type SessionRepository } from '../repository/bare-git.ts'

/** A commit of the work, as another one can be made from it. */
export interface WorkCommit {
  commit: string
  parents: string[]
  message: string
  author: { name: string; email: string }
  /** Seconds since 1970 and a time zone: `1764450000 +0100`. */
  authorDate: string
}

/** The commits of the work since its base, oldest first. */
export async function listWorkCommits(
  repository: SessionRepository,
  { base, commit }: { base: string; commit: string },
): Promise<WorkCommit[]> {
  const list = await runBareGit(repository, ['rev-list', '--topo-order', '--reverse', commit, `^${base}`])
  const commits: WorkCommit[] = []
  for (const hash of list.split('\n').filter(Boolean)) {
    const format = '%P%x00%an%x00%ae%x00%ad%x00%B'
    const shown = await runBareGit(repository, [
      'log',
      '-1',
      '--no-show-signature',
      '--date=raw',
      `--format=${format}`,
      hash,
    ])
    const [parents = '', name = '', email = '', authorDate = '', message = ''] = shown.split('\0')
    commits.push({
      commit: hash,
      parents: parents.split(' ').filter(Boolean),
      message,
      author: { name, email },
      authorDate,
    })
  }
  return commits
}
