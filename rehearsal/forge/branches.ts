import { git, tryGit } from '#host/git'
import {
  type ForgeState,
  findHeadRepository,
  type ScriptedIssue,
  type ScriptedPull,
  type ScriptedRepository,
} from './state.ts'

/** The commit of a branch; undefined without one. */
export async function readBranch({ folder }: ScriptedRepository, branch: string): Promise<string | undefined> {
  const ran = await tryGit(['--git-dir', folder, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`])
  return ran.exitCode === 0 ? ran.stdout.trim() : undefined
}

/** A commit by its hash, the name of a branch, or the beginning of a hash. */
export async function resolveRef({ folder }: ScriptedRepository, ref: string): Promise<string | undefined> {
  for (const name of [`refs/heads/${ref.replace(/^(refs\/)?heads\//, '')}`, ref]) {
    const ran = await tryGit(['--git-dir', folder, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`])
    if (ran.exitCode === 0) return ran.stdout.trim()
  }
  return undefined
}

/** Where both sides of a pull request are, and whether they merge. The head follows its branch, until it is closed. */
export async function readSides(state: ForgeState, repository: ScriptedRepository, issue: ScriptedIssue) {
  const pull = issue.pull as ScriptedPull
  const from = findHeadRepository(state, repository, pull.headOwner)
  const base = (await readBranch(repository, pull.base)) ?? ''
  const head =
    issue.state === 'closed' ? pull.headCommit : ((await readBranch(from, pull.headBranch)) ?? pull.headCommit)
  await fetchHead(repository, from, head)
  pull.headCommit = head
  const isMergeable = base !== '' && 'tree' in (await mergeTrees(repository, base, head))
  const args = ['--git-dir', repository.folder, 'merge-base', '--is-ancestor', base, head]
  const isStrict = repository.rules[pull.base]?.isStrict ?? false
  const isBehind = isStrict && issue.state === 'open' && (await tryGit(args)).exitCode !== 0
  return { head, base, isMergeable, isBehind }
}

/** The tree of two commits together, or `conflict`. */
export async function mergeTrees(
  { folder }: ScriptedRepository,
  base: string,
  head: string,
): Promise<{ tree: string } | { conflict: true }> {
  const ran = await tryGit([
    '--git-dir',
    folder,
    'merge-tree',
    '--write-tree',
    '--allow-unrelated-histories',
    base,
    head,
  ])
  return ran.exitCode === 0 ? { tree: ran.stdout.trim().split('\n')[0] ?? '' } : { conflict: true }
}

/** As GitHub has it: the commits of a fork are in the network of the repository. */
async function fetchHead(repository: ScriptedRepository, from: ScriptedRepository, commit: string): Promise<void> {
  if (from.folder === repository.folder || commit === '') return
  await git(['--git-dir', repository.folder, 'fetch', '--quiet', '--no-tags', from.folder, commit])
}
