import type { Checkout, measureDivergence } from '#host/git'
import { quoteForShell } from '#host/shell-quote.ts'
import { formatCount, formatNames, sanitize } from '#host/text.ts'
import type { ApplyStyle, Session, WorkToApply } from '#session'
import type { VerdictState } from '#session/status'
import { describeHooks, type HooksChoice } from '../input/apply-options.ts'
import { formatTitle, paint, print } from './terminal.ts'

interface ApplyResult {
  session: Session
  verdict: VerdictState | undefined
  work: WorkToApply
  checkout: Checkout
  branch: string
  style: ApplyStyle
  /** Where the branch is. Unless the work comes as it is, it is not the judged commit, but has its tree. */
  commit: string
  /** With --squash: the user's commit hooks, and whether they ran. */
  hooks: HooksChoice | undefined
  /** Did the branch exist before? */
  alreadyExists: boolean
  divergence: Awaited<ReturnType<typeof measureDivergence>>
}

/** Print the new branch, what has changed in the user's repository since, and how to review and merge the work. */
export function printApplyResult(result: ApplyResult): void {
  const { session, verdict, work, checkout, branch, style, commit, hooks, alreadyExists } = result
  print(formatTitle(session.id))
  print(`  branch   ${paint('bold', branch)}  ${alreadyExists ? 'already exists' : 'is new'}, in ${checkout.path}`)
  const how = style === 'as it is' ? '' : ` ${style}`
  print(`           commit ${commit.slice(0, 10)}${how}, tree ${work.tree.slice(0, 10)}${verdict ? ', as judged' : ''}`)
  if (hooks?.found)
    print(`  hooks    ${hooks.run ? 'ran' : 'did not run (with --hooks they do)'}: ${describeHooks(hooks.found)}`)
  if (work.warning === undefined) print(`  verdict  ${paint('green', 'PASS')}  ${sanitize(verdict?.reason ?? '')}`)
  else print(`  verdict  ${paint('red', sanitize(work.warning))}`)
  for (const [index, line] of describeDivergence(result).entries())
    print(`  ${index === 0 ? 'since  ' : '       '}  ${line}`)
  print()
  for (const line of listNextCommands(result)) print(`  ${line}`)
}

/** The same for `--json`. */
export function toJson(result: ApplyResult) {
  const { session, verdict, work, checkout, branch, style, commit, hooks, alreadyExists, divergence } = result
  return {
    id: session.id,
    repository: checkout.path,
    branch,
    alreadyExists,
    commit,
    judgedCommit: work.commit,
    style,
    hooks: { found: hooks?.found?.names ?? [], ran: hooks?.run ?? false },
    tree: work.tree,
    base: work.base,
    verdict: verdict?.verdict ?? null,
    warning: work.warning ?? null,
    changedSinceVerdict: work.changedFiles,
    currentBranch: checkout.branch,
    ...divergence,
  }
}

// --- internal ---

/** What has happened in the user's repository since the work started. */
function describeDivergence(result: ApplyResult): string[] {
  const { checkout, divergence, work } = result
  const { hasCommonAncestor, containsBase, changedOnBothSides, uncommittedFiles } = divergence
  const current = checkout.branch ?? 'your checkout'
  if (divergence.isMerged) return [`${current} already contains this work`]
  const base = work.base.slice(0, 10)
  const warnings = [
    ...(hasCommonAncestor && !containsBase ? [`${current} no longer contains ${base}, where the work started`] : []),
    ...(changedOnBothSides.length > 0
      ? [`both sides ${hasCommonAncestor ? 'changed' : 'have'} ${formatNames(changedOnBothSides)}: expect conflicts`]
      : []),
    ...(uncommittedFiles.length > 0
      ? [`uncommitted in your checkout, and changed by the work: ${formatNames(uncommittedFiles)}`]
      : []),
  ]
  return [describeMove(result, current), ...warnings.map(line => paint('yellow', line))]
}

function describeMove({ session, checkout, divergence, branch }: ApplyResult, current: string): string {
  const { commitsAhead, hasCommonAncestor } = divergence
  if (checkout.head === null) return `${current} has no commit yet`
  if (!hasCommonAncestor) {
    const origin = session.manifest.repository ? 'in another repository' : 'from an empty repository'
    return `the work started ${origin}: ${branch} and ${current} have no common ancestor`
  }
  return commitsAhead === 0
    ? `${current} has no new commits`
    : `${current} has ${formatCount(commitsAhead, 'new commit')}`
}

/** How to review the work and merge it, from the current folder. */
function listNextCommands({ checkout, divergence, branch, work }: ApplyResult): string[] {
  const isInside = `${process.cwd()}/`.startsWith(`${checkout.path}/`)
  const git = isInside ? 'git' : `git -C ${quoteForShell(checkout.path)}`
  const name = quoteForShell(branch)
  if (divergence.isMerged) return [`review   ${git} show --stat ${name}`, `delete   ${git} branch -d ${name}`]
  const range = divergence.hasCommonAncestor
    ? `${quoteForShell(checkout.branch ?? 'HEAD')}...${name}`
    : `${work.base.slice(0, 10)} ${name}`
  const unrelated = divergence.hasCommonAncestor || checkout.head === null ? '' : '--allow-unrelated-histories '
  return [`review   ${git} diff ${range}`, `merge    ${git} merge ${unrelated}${name}`]
}
