import path from 'node:path'
import { type Config, readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import {
  type Checkout,
  createBranch,
  type Divergence,
  fetchCommit,
  findCheckout,
  findWorktree,
  isBranchName,
  measureDivergence,
  resolveCommit,
  resolveTree,
} from '#host/git'
import { quoteForShell, sanitize, toOneLine } from '#host/text.ts'
import { refuseNewerFormat, type Session } from '#session'
import { readVerdictRecord } from '#session/evidence'
import { listChangesSinceVerdict } from '#session/repository'
import { readView, type SessionStatus } from '#session/status'
import { defineCommand } from '../command.ts'
import { confirmSessionId, isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { pickSession } from '../input/pick-session.ts'
import { formatTitle, paint, print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Brings the judged commit into your repository, as a branch of its own and nothing else: your checkout, your index and your
current branch stay as they are. What was judged is what comes: commit and tree are compared with the verdict before and
after. A PASS that holds comes at once. For anything else you are told what it is, and asked; in a script, say --anyway.
Then it says what has changed on your side since, and how to look at the work and take it in.
`,
  options: {
    branch: { type: 'string', value: 'NAME', about: 'the name of the branch (default: dispatch/<sid>)' },
    repo: { type: 'string', value: 'DIR', about: 'into this repository (default: the one the work began from)' },
    anyway: { type: 'boolean', about: 'also without a PASS that holds, and without asking' },
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words; never asks' },
  },
  async run(values, words) {
    const config = readConfig()
    const session = pickSession(config, words[0])
    await refuseAgent('apply', 'Your work is brought home by the person you do it for.')
    refuseNewerFormat(session)
    const { status } = await readView(session)
    const work = await findWork(session, status)
    const checkout = await resolveRepository(session, values.repo, config)
    const branch = values.branch ?? `dispatch/${session.id}`
    const alreadyExists = await hasBranch(checkout, branch, work.commit)
    if (!alreadyExists && work.warning !== undefined && !values.anyway) await confirmWarning(session, work, values.json)
    if (!alreadyExists) await fetchAndBranch(session, work, checkout, branch)
    const distance = await measureDivergence(checkout, work.commit, work.base)
    const applied = { session, status, work, checkout, branch, alreadyExists, distance }
    if (values.json) print(JSON.stringify(toJson(applied)))
    else printResult(applied)
    return exitCodes.ok
  },
})

/** What is brought home, and what there is to say against it. */
interface AppliedWork {
  commit: string
  tree: string
  base: string
  changed: string[]
  /** Why this is not simply a PASS; undefined when it is one and holds. */
  warning: string | undefined
}

interface ApplyResult {
  session: Session
  status: SessionStatus
  work: AppliedWork
  checkout: Checkout
  branch: string
  /** Was the branch there before? */
  alreadyExists: boolean
  distance: Divergence
}

/** The judged commit; where nothing was judged yet, the last that a worker has handed in. */
async function findWork({ paths, id }: Session, status: SessionStatus): Promise<AppliedWork> {
  const { verdict, acceptedCommit } = status
  const commit = verdict?.commit ?? acceptedCommit
  const base = status.base?.commit
  if (commit === undefined || base === undefined || commit === base)
    throw new DispatchError(`session ${id} has made nothing yet that could be brought home`, {
      exitCode: exitCodes.notFound,
      remedy: `\`dispatch show ${id.slice(-4)}\` tells where it stands.`,
    })
  const tree = await resolveTree(paths.bareRepository, commit)
  const recorded = readVerdictRecord(paths)
  const differs = verdict && (recorded?.commit !== verdict.commit || recorded.tree !== verdict.tree)
  if (tree === undefined || differs || (verdict && tree !== verdict.tree))
    throw new DispatchError(
      `${paths.verdictRecord}, ${paths.events} and ${paths.bareRepository} do not agree on what was judged (commit ${commit.slice(0, 10)})`,
      { exitCode: exitCodes.integrity, remedy: 'Somebody has changed one of them. Do not take this work for judged.' },
    )
  const changed = await listChangesSinceVerdict(paths, status)
  return { commit, tree, base, changed, warning: explainWarning(status, changed) }
}

/** In words, what keeps this from being a PASS that holds. Pure. */
function explainWarning({ verdict, phase, problem }: SessionStatus, changed: string[]): string | undefined {
  if (!verdict) return 'There is no verdict: this is what its workers have handed in so far, and nobody has judged it.'
  if (!verdict.isFinal)
    return `The verdict of round ${verdict.round} is ${verdict.verdict}, and it is not the last one.`
  if (verdict.verdict !== 'PASS') return `The verdict is ${verdict.verdict}: ${verdict.reason}.`
  if (phase === 'needs you') return `It was PASS, and then you were called: ${problem}.`
  if (changed.length > 0)
    return `It was PASS, and is void for what lies in outputs/ now: ${formatSomeFiles(changed)} changed since. The branch has what was judged, without that.`
  return verdict.voidReason === undefined ? undefined : `It was PASS, and is void: ${verdict.voidReason}.`
}

async function resolveRepository(
  { manifest, id }: Session,
  named: string | undefined,
  config: Config,
): Promise<Checkout> {
  const place = named ?? manifest.repository?.path
  const found = await findCheckout(path.resolve(place ?? '.'))
  const isOurs = [config.home, config.installFolder].some(own => `${found?.path}/`.startsWith(`${own}/`))
  if (found && (place !== undefined || !isOurs)) return found
  if (place !== undefined)
    throw new DispatchError(`${place} is no git repository with a work tree`, {
      exitCode: exitCodes.notFound,
      remedy: named === undefined ? 'It was when the session began. Say where it is now: --repo DIR.' : '',
    })
  throw new DispatchError(`session ${id} began with an empty repository, so there is none to bring its work home to`, {
    exitCode: exitCodes.usage,
    remedy: 'Say which: --repo DIR, or stand in one. A new one: git init DIR.',
  })
}

/** Is the branch there already, with this very commit? A name that is taken is refused. */
async function hasBranch({ path: folder }: Checkout, branch: string, commit: string): Promise<boolean> {
  if (!(await isBranchName(branch)))
    throw new DispatchError(`"${branch}" is no name for a branch`, { exitCode: exitCodes.usage })
  const stands = await resolveCommit(folder, `refs/heads/${branch}`)
  if (stands === commit) return true
  const checkedOut = await findWorktree(folder, branch)
  if (stands === undefined && checkedOut === undefined) return false
  const where = checkedOut === undefined ? '' : ` and is checked out in ${checkedOut}`
  throw new DispatchError(
    `branch ${branch} is taken in ${folder}: it stands at ${stands?.slice(0, 10) ?? 'no commit yet'}${where}, the work is ${commit.slice(0, 10)}`,
    {
      exitCode: exitCodes.conflict,
      remedy: `Take another name: --branch ${branch}-2, or rename yours: git branch -m …`,
    },
  )
}

async function confirmWarning(
  session: Session,
  { warning = '' }: AppliedWork,
  json: boolean | undefined,
): Promise<void> {
  const short = session.id.slice(-4)
  const asks = isAtTerminal() && !json
  if (asks) print(`${formatTitle(session.id)}\n  ${paint('red', sanitize(warning))}`)
  if (asks && (await confirmSessionId(session, '  Bring it home all the same?'))) return
  throw new DispatchError(`${asks ? '' : `${sanitize(warning)} `}Nothing was fetched.`, {
    exitCode: exitCodes.conflict,
    remedy: `Look: dispatch show ${short}. To have it all the same: dispatch apply ${short} --anyway.`,
  })
}

/** Objects first; the branch only once they are seen to be what was judged. */
async function fetchAndBranch(
  { paths }: Session,
  work: AppliedWork,
  { path: folder }: Checkout,
  branch: string,
): Promise<void> {
  await fetchCommit(paths.bareRepository, work.commit, folder)
  const tree = await resolveTree(folder, work.commit)
  if (tree !== work.tree)
    throw new DispatchError(`what arrived in ${folder} holds tree ${tree}, and not ${work.tree}`, {
      exitCode: exitCodes.integrity,
      remedy: 'No branch was made. Do not take this work for judged.',
    })
  const refused = await createBranch(folder, branch, work.commit)
  if (refused !== undefined)
    throw new DispatchError(`branch ${branch} could not be made in ${folder}: ${refused}`, {
      exitCode: exitCodes.conflict,
      remedy: 'Take another name: --branch NAME.',
    })
}

// --- in words ---

function printResult(applied: ApplyResult): void {
  const { session, status, work, checkout, branch, alreadyExists } = applied
  const { verdict } = status
  print(formatTitle(session.id))
  print(`  branch   ${paint('bold', branch)}  ${alreadyExists ? 'is there already' : 'is new'}, in ${checkout.path}`)
  print(`           commit ${work.commit.slice(0, 10)}, tree ${work.tree.slice(0, 10)}${verdict ? ', as judged' : ''}`)
  if (work.warning === undefined) print(`  verdict  ${paint('green', 'PASS')}  ${sanitize(verdict?.reason ?? '')}`)
  else print(`  verdict  ${paint('red', sanitize(work.warning))}`)
  for (const [at, line] of describeChangesSince(applied).entries())
    print(`  ${at === 0 ? 'since  ' : '       '}  ${line}`)
  print()
  for (const line of listNextCommands(applied)) print(`  ${line}`)
}

/** What has happened in the user's repository since the work began. */
function describeChangesSince({ session, checkout, distance, branch, work }: ApplyResult): string[] {
  const here = checkout.branch ?? 'your checkout'
  if (distance.isMerged) return [`${here} has taken it in already`]
  const commits = `${distance.commitsAhead} commit${distance.commitsAhead === 1 ? '' : 's'}`
  const away =
    checkout.head === null
      ? `${here} has no commit yet`
      : !distance.hasCommonAncestor
        ? `the work began ${session.manifest.repository ? 'elsewhere' : 'from nothing'}: ${branch} and ${here} have no commit in common`
        : `${here} has ${distance.commitsAhead === 0 ? 'not moved on' : `moved on by ${commits}`}`
  const lost = `${here} no longer holds ${work.base.slice(0, 10)}, from which the work began`
  const both = `both sides ${distance.hasCommonAncestor ? 'changed' : 'have'} ${formatSomeFiles(distance.changedOnBothSides)}: look there for conflicts`
  const dirty = `not committed in your checkout, and touched by the work: ${formatSomeFiles(distance.uncommittedFiles)}`
  return [
    away,
    ...(distance.hasCommonAncestor && !distance.containsBase ? [paint('yellow', lost)] : []),
    ...(distance.changedOnBothSides.length > 0 ? [paint('yellow', both)] : []),
    ...(distance.uncommittedFiles.length > 0 ? [paint('yellow', dirty)] : []),
  ]
}

/** How to look at the work, and how to take it in, from where the user stands. */
function listNextCommands({ checkout, distance, branch, work }: ApplyResult): string[] {
  const isHere = `${process.cwd()}/`.startsWith(`${checkout.path}/`)
  const git = isHere ? 'git' : `git -C ${quoteForShell(checkout.path)}`
  const name = quoteForShell(branch)
  const from = distance.hasCommonAncestor
    ? `${quoteForShell(checkout.branch ?? 'HEAD')}...`
    : `${work.base.slice(0, 10)} `
  const unrelated = distance.hasCommonAncestor || checkout.head === null ? '' : '--allow-unrelated-histories '
  if (distance.isMerged) return [`look     ${git} show --stat ${name}`, `tidy up  ${git} branch -d ${name}`]
  return [`look     ${git} diff ${from}${name}`, `take in  ${git} merge ${unrelated}${name}`]
}

function toJson({ session, status, work, checkout, branch, alreadyExists, distance }: ApplyResult) {
  return {
    id: session.id,
    repository: checkout.path,
    branch,
    there: alreadyExists,
    commit: work.commit,
    tree: work.tree,
    base: work.base,
    verdict: status.verdict?.verdict ?? null,
    doubt: work.warning ?? null,
    changedSinceVerdict: work.changed,
    current: checkout.branch,
    ...distance,
  }
}

function formatSomeFiles(files: string[]): string {
  const named = files.slice(0, 5).map(file => toOneLine(file, 80))
  return `${named.join(', ')}${files.length > 5 ? ` and ${files.length - 5} more` : ''}`
}
