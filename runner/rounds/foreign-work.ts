import {
  checkFilteredFiles,
  listDifferences,
  listInboxChanges,
  listMovedSubmodules,
  listNestedRepositories,
  listSubmoduleChanges,
} from '#session/repository'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'

const MAX_LISTED_FILES = 20
const COMMIT_DIGITS = 12

/** Refuse what cannot be the work: what no worker handed in, and what would not be in the commit that a person applies. */
export async function refuseForeignWork(context: RunnerContext, commit: string): Promise<CommandReply | undefined> {
  return (
    (await refuseStrayChanges(context, commit)) ??
    (await refuseNestedRepositories(context, commit)) ??
    (await refuseSubmoduleChanges(context, commit)) ??
    (await refuseInboxFiles(context, commit)) ??
    (await refuseUnfilteredFiles(context, commit))
  )
}

// --- internal ---

async function refuseStrayChanges(
  { session: { paths }, status }: RunnerContext,
  commit: string,
): Promise<CommandReply | undefined> {
  if (status.acceptedCommit !== undefined && commit !== status.acceptedCommit)
    return refuse(
      `Nothing was judged: ${paths.outputs} is at commit ${commit.slice(0, 10)}, which no worker handed in. Only workers' work counts.\nSpawn a code worker: the commit is quarantined first (refs/quarantine/…), and its brief can say what to take from it.`,
    )
  const strayFiles = await listDifferences(paths, commit)
  if (strayFiles.length === 0) return undefined
  return refuse(
    `Nothing was judged: no worker changed these files in ${paths.outputs}, and only workers' work counts:\n${formatFiles(strayFiles)}\nRemove them if they are not needed. If they are, spawn a code worker whose brief says so; it finds them in git's stash.`,
  )
}

/** Refuse repositories in the repository: the files in them are not in the commit. */
async function refuseNestedRepositories(
  { session: { paths }, status }: RunnerContext,
  commit: string,
): Promise<CommandReply | undefined> {
  // A submodule of the user's own repository is not the workers' doing.
  const before = status.base ? await listNestedRepositories(paths, status.base.commit) : []
  const nested = (await listNestedRepositories(paths, commit)).filter(file => !before.includes(file))
  if (nested.length === 0) return undefined
  return refuse(
    `Nothing was judged: ${nested.join(', ')} was committed as a repository of its own, so none of its files is in the work.\nSpawn a code worker that runs \`git rm --cached\` on it, removes the .git in it and commits the files themselves.`,
  )
}

/** Refuse changes inside a submodule: it is a repository of its own, to which nothing is applied. */
async function refuseSubmoduleChanges(
  { session: { paths }, status }: RunnerContext,
  commit: string,
): Promise<CommandReply | undefined> {
  if (!status.base) return undefined
  const moved = await listMovedSubmodules(paths, status.base.commit, commit)
  const [first] = moved
  if (first)
    return refuse(
      `Nothing was judged: the work moves a submodule to another commit, which dispatch cannot hand on: ${moved.map(each => each.path).join(', ')}.\nSpawn a code worker that commits the recorded one again: git update-index --cacheinfo 160000,${first.recorded},${first.path}\nIf the task needs another one, tell the human, who can move the submodule before a new session.`,
    )
  const changes = (await listSubmoduleChanges(paths, status.base.commit)).filter(({ isIgnored }) => !isIgnored)
  const changed = changes.map(change => change.path)
  if (changed.length === 0) return undefined
  if (changes.every(({ isNew }) => isNew))
    return refuse(
      `Nothing was judged: these new files are in a submodule, a repository of its own, which does not ignore them. They are not part of the work, and checks do not see them:\n${formatFiles(changed)}\nIf a build made them, spawn a code worker that removes them: git submodule foreach --recursive git clean -fdq\nIf the task needs them, tell the human: they must be added in that repository first. If every build makes them, tell the human that \`ignore = untracked\` in .gitmodules lets them stay.`,
    )
  return refuse(
    `Nothing was judged: these files belong to a submodule, a repository of its own. A change there is not part of the work, and checks do not see it:\n${formatFiles(changed)}\nSpawn a code worker that undoes it: git submodule update --force --recursive && git submodule foreach --recursive git clean -fdq\nIf the task needs the change, tell the human: it must be made in that repository first.`,
  )
}

/** Refuse files in the inbox folder of the project: dispatch would take tasks from it, once the work is applied. */
async function refuseInboxFiles(
  { session: { paths }, status }: RunnerContext,
  commit: string,
): Promise<CommandReply | undefined> {
  if (!status.base) return undefined
  const files = await listInboxChanges(paths, status.base.commit, commit)
  if (files.length === 0) return undefined
  return refuse(
    `Nothing was judged: the work writes in .agent-queue/, from which dispatch takes tasks. Only a human may put tasks there:\n${formatFiles(files)}\nSpawn a code worker that makes its commits again without these files: git reset --soft ${status.base.commit.slice(0, COMMIT_DIGITS)}, then restore .agent-queue and commit.`,
  )
}

/** Refuse files that git would put through a filter first, such as one that encrypts them. */
async function refuseUnfilteredFiles(
  { session: { paths }, status }: RunnerContext,
  commit: string,
): Promise<CommandReply | undefined> {
  if (!status.base) return undefined
  const problems = await checkFilteredFiles(paths, status.base.commit, commit)
  const kind = problems[0]?.kind
  if (kind === undefined) return undefined
  const shown = problems.filter(problem => problem.kind === kind)
  const files = formatFiles(shown.map(problem => problem.path))
  const startOver = `git reset --soft ${status.base.commit.slice(0, COMMIT_DIGITS)}`
  if (kind === 'raw content')
    return refuse(
      `Nothing was judged: .gitattributes gives these files to Git LFS, but one of the commits has their content in place of a pointer:\n${files}\nSpawn a code worker that makes its commits again: ${startOver}, then \`git add --renormalize\` on these files, and commit.`,
    )
  if (kind === 'content is missing')
    return refuse(
      `Nothing was judged: in one of the commits these files are pointers of Git LFS, and the content that they name is not here:\n${files}\nSpawn a code worker that makes its commits again: ${startOver}, then it writes the content of the files and commits. Git makes the pointers.`,
    )
  const filters = [...new Set(shown.map(({ filter }) => filter))].join(', ')
  const consequence = filters.includes('git-crypt')
    ? 'Applied, this would put their plain text into the repository.'
    : 'Applied, this would put content into the repository that did not go through the filter.'
  return refuse(
    `Nothing was judged: .gitattributes gives these files to the filter ${filters}, which dispatch does not run. ${consequence}\n${files}\nSpawn a code worker that makes its commits again without these files: ${startOver}, then restore them and commit.\nTell the human that these files were left out: only they can write them.`,
  )
}

function formatFiles(files: string[]): string {
  const lines = files.slice(0, MAX_LISTED_FILES).map(file => `  ${file}`)
  if (files.length > MAX_LISTED_FILES) lines.push(`  and ${files.length - MAX_LISTED_FILES} more`)
  return lines.join('\n')
}
