import fs from 'node:fs'
import { git } from '#host/git'
import { type CommitHooks, commitAsUser, type SigningOptions, withCommitHooks } from '#host/git/user'
import { redactSecrets } from '#host/secrets'
import type { ApplyStyle, WorkToApply } from './apply.ts'
import { readCurrentVerdict } from './evidence/verdict.ts'
import type { Session } from './manifest.ts'
import { renderSquashMessage } from './squash-message.ts'
import type { SessionStatus } from './status/status-types.ts'

/** The commit of the work in this style: the judged commit, or another one with its tree, which no branch leads to yet. */
export async function styleWork(
  session: Session,
  status: SessionStatus,
  work: WorkToApply,
  repository: string,
  { style, ...options }: OwnCommitOptions & { style: ApplyStyle },
): Promise<string> {
  if (style === 'as it is') return work.commit
  if (style === 'squashed') return squashWork(session, status, work, repository, options)
  return takeOverWork(session, work, repository, options)
}

/** How the user's git may behave. `hooks` are run for a squashed commit. */
interface OwnCommitOptions extends SigningOptions {
  hooks: CommitHooks | undefined
  /** Left out of the message, because a commit is pushed where others can read it. */
  secrets: string[]
}

// --- internal ---

/** The commits of the work, oldest first, in a repository that has them. Work on an empty base includes the base. */
async function listWorkCommits({ manifest }: Session, work: WorkToApply, repository: string): Promise<string[]> {
  const range = manifest.repository === null ? [work.commit] : [work.commit, `^${work.base}`]
  return (await git(['rev-list', '--topo-order', '--reverse', ...range], { cwd: repository })).split('\n')
}

/**
 * Make one commit of the user with the tree of the work, on top of the commit that the work started from. `hooks` are run.
 * Returns the commit, which no branch leads to yet.
 */
async function squashWork(
  session: Session,
  status: SessionStatus,
  work: WorkToApply,
  repository: string,
  { hooks, secrets, ...signing }: OwnCommitOptions,
): Promise<string> {
  const { id, manifest, paths } = session
  const task = fs.readFileSync(paths.task, 'utf8')
  const verdict = readCurrentVerdict(paths, status)
  const commit = {
    tree: work.tree,
    parents: manifest.repository === null ? [] : [work.base],
    message: redactSecrets(renderSquashMessage({ sessionId: id, task, verdict }), secrets).text,
  }
  if (hooks === undefined) return commitAsUser(repository, commit, signing)
  const create = (message: string) => commitAsUser(repository, { ...commit, message }, signing)
  return withCommitHooks(repository, hooks, commit, work.commit, create)
}

/** Make the same commits with the user as author and committer. Returns the last, which no branch leads to yet. */
async function takeOverWork(
  session: Session,
  work: WorkToApply,
  repository: string,
  { secrets, ...signing }: OwnCommitOptions,
): Promise<string> {
  const taken = new Map<string, string>()
  for (const commit of await listWorkCommits(session, work, repository)) {
    const [tree = '', parents = '', authorDate] = (await show(repository, commit, '%T%n%P%n%ad')).split('\n')
    const own = {
      tree,
      parents: parents
        .split(' ')
        .filter(Boolean)
        .map(parent => taken.get(parent) ?? parent),
      message: redactSecrets(await show(repository, commit, '%B'), secrets).text,
      authorDate,
    }
    taken.set(commit, await commitAsUser(repository, own, signing))
  }
  return taken.get(work.commit) ?? work.commit
}

function show(repository: string, commit: string, format: string): Promise<string> {
  return git(['log', '-1', '--no-show-signature', '--date=raw', `--format=${format}`, commit], { cwd: repository })
}
