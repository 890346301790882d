import path from 'node:path'
import {
  type Apart,
  type Checkout,
  type Config,
  checkedOutIn,
  commitNamed,
  createBranch,
  DispatchError,
  exits,
  fetchCommit,
  findCheckout,
  howFarApart,
  isBranchName,
  oneLine,
  printable,
  readConfig,
  shellWord,
  treeOf,
} from '../../host/index.ts'
import {
  changedSinceVerdict,
  readVerdict,
  refuseNewer,
  type Session,
  type Status,
  viewOf,
} from '../../session/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'
import { atTerminal, confirmId, refuseAgent } from '../confirm.ts'
import { paint, print, title } from '../terminal.ts'

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
    const session = chosen(config, words[0])
    await refuseAgent('apply', 'Your work is brought home by the person you do it for.')
    refuseNewer(session)
    const { status } = await viewOf(session)
    const work = await workOf(session, status)
    const checkout = await checkoutFor(session, values.repo, config)
    const branch = values.branch ?? `dispatch/${session.id}`
    const there = await branchIn(checkout, branch, work.commit)
    if (!there && work.doubt !== undefined && !values.anyway) await agree(session, work, values.json)
    if (!there) await deliver(session, work, checkout, branch)
    const apart = await howFarApart(checkout, work.commit, work.base)
    const applied = { session, status, work, checkout, branch, there, apart }
    if (values.json) print(JSON.stringify(record(applied)))
    else tell(applied)
    return exits.ok
  },
})

/** What is brought home, and what there is to say against it. */
interface Work {
  commit: string
  tree: string
  base: string
  changed: string[]
  /** Why this is not simply a PASS; undefined when it is one and holds. */
  doubt: string | undefined
}

interface Applied {
  session: Session
  status: Status
  work: Work
  checkout: Checkout
  branch: string
  /** Was the branch there before? */
  there: boolean
  apart: Apart
}

/** The judged commit; where nothing was judged yet, the last that a worker has handed in. */
async function workOf({ paths, id }: Session, status: Status): Promise<Work> {
  const { verdict, accepted } = status
  const commit = verdict?.commit ?? accepted
  const base = status.base?.commit
  if (commit === undefined || base === undefined || commit === base)
    throw new DispatchError(`session ${id} has made nothing yet that could be brought home`, {
      exit: exits.notFound,
      remedy: `\`dispatch show ${id.slice(-4)}\` tells where it stands.`,
    })
  const tree = await treeOf(paths.trees, commit)
  const recorded = readVerdict(paths)
  const differs = verdict && (recorded?.commit !== verdict.commit || recorded.tree !== verdict.tree)
  if (tree === undefined || differs || (verdict && tree !== verdict.tree))
    throw new DispatchError(
      `${paths.verdictRecord}, ${paths.events} and ${paths.trees} do not agree on what was judged (commit ${commit.slice(0, 10)})`,
      { exit: exits.integrity, remedy: 'Somebody has changed one of them. Do not take this work for judged.' },
    )
  const changed = await changedSinceVerdict(paths, status)
  return { commit, tree, base, changed, doubt: doubtOf(status, changed) }
}

/** In words, what keeps this from being a PASS that holds. Pure. */
function doubtOf({ verdict, phase, trouble }: Status, changed: string[]): string | undefined {
  if (!verdict) return 'There is no verdict: this is what its workers have handed in so far, and nobody has judged it.'
  if (!verdict.final) return `The verdict of round ${verdict.round} is ${verdict.verdict}, and it is not the last one.`
  if (verdict.verdict !== 'PASS') return `The verdict is ${verdict.verdict}: ${verdict.reason}.`
  if (phase === 'needs you') return `It was PASS, and then you were called: ${trouble}.`
  if (changed.length > 0)
    return `It was PASS, and is void for what lies in outputs/ now: ${some(changed)} changed since. The branch has what was judged, without that.`
  return verdict.voided === undefined ? undefined : `It was PASS, and is void: ${verdict.voided}.`
}

async function checkoutFor({ opening, id }: Session, named: string | undefined, config: Config): Promise<Checkout> {
  const place = named ?? opening.repository?.path
  const found = await findCheckout(path.resolve(place ?? '.'))
  const isOurs = [config.home, config.install].some(own => `${found?.path}/`.startsWith(`${own}/`))
  if (found && (place !== undefined || !isOurs)) return found
  if (place !== undefined)
    throw new DispatchError(`${place} is no git repository with a work tree`, {
      exit: exits.notFound,
      remedy: named === undefined ? 'It was when the session began. Say where it is now: --repo DIR.' : '',
    })
  throw new DispatchError(`session ${id} began with an empty repository, so there is none to bring its work home to`, {
    exit: exits.usage,
    remedy: 'Say which: --repo DIR, or stand in one. A new one: git init DIR.',
  })
}

/** Is the branch there already, with this very commit? A name that is taken is refused. */
async function branchIn({ path: folder }: Checkout, branch: string, commit: string): Promise<boolean> {
  if (!(await isBranchName(branch)))
    throw new DispatchError(`"${branch}" is no name for a branch`, { exit: exits.usage })
  const stands = await commitNamed(folder, `refs/heads/${branch}`)
  if (stands === commit) return true
  const checkedOut = await checkedOutIn(folder, branch)
  if (stands === undefined && checkedOut === undefined) return false
  const where = checkedOut === undefined ? '' : ` and is checked out in ${checkedOut}`
  throw new DispatchError(
    `branch ${branch} is taken in ${folder}: it stands at ${stands?.slice(0, 10) ?? 'no commit yet'}${where}, the work is ${commit.slice(0, 10)}`,
    { exit: exits.conflict, remedy: `Take another name: --branch ${branch}-2, or rename yours: git branch -m …` },
  )
}

async function agree(session: Session, { doubt = '' }: Work, json: boolean | undefined): Promise<void> {
  const short = session.id.slice(-4)
  const asks = atTerminal() && !json
  if (asks) print(`${title(session.id)}\n  ${paint('red', printable(doubt))}`)
  if (asks && (await confirmId(session, '  Bring it home all the same?'))) return
  throw new DispatchError(`${asks ? '' : `${printable(doubt)} `}Nothing was fetched.`, {
    exit: exits.conflict,
    remedy: `Look: dispatch show ${short}. To have it all the same: dispatch apply ${short} --anyway.`,
  })
}

/** Objects first; the branch only once they are seen to be what was judged. */
async function deliver({ paths }: Session, work: Work, { path: folder }: Checkout, branch: string): Promise<void> {
  await fetchCommit(paths.trees, work.commit, folder)
  const tree = await treeOf(folder, work.commit)
  if (tree !== work.tree)
    throw new DispatchError(`what arrived in ${folder} holds tree ${tree}, and not ${work.tree}`, {
      exit: exits.integrity,
      remedy: 'No branch was made. Do not take this work for judged.',
    })
  const refused = await createBranch(folder, branch, work.commit)
  if (refused !== undefined)
    throw new DispatchError(`branch ${branch} could not be made in ${folder}: ${refused}`, {
      exit: exits.conflict,
      remedy: 'Take another name: --branch NAME.',
    })
}

// --- in words ---

function tell(applied: Applied): void {
  const { session, status, work, checkout, branch, there } = applied
  const { verdict } = status
  print(title(session.id))
  print(`  branch   ${paint('bold', branch)}  ${there ? 'is there already' : 'is new'}, in ${checkout.path}`)
  print(`           commit ${work.commit.slice(0, 10)}, tree ${work.tree.slice(0, 10)}${verdict ? ', as judged' : ''}`)
  if (work.doubt === undefined) print(`  verdict  ${paint('green', 'PASS')}  ${printable(verdict?.reason ?? '')}`)
  else print(`  verdict  ${paint('red', printable(work.doubt))}`)
  for (const [at, line] of since(applied).entries()) print(`  ${at === 0 ? 'since  ' : '       '}  ${line}`)
  print()
  for (const line of commandsFor(applied)) print(`  ${line}`)
}

/** What has happened in the user's repository since the work began. */
function since({ session, checkout, apart, branch, work }: Applied): string[] {
  const here = checkout.branch ?? 'your checkout'
  if (apart.taken) return [`${here} has taken it in already`]
  const commits = `${apart.ahead} commit${apart.ahead === 1 ? '' : 's'}`
  const away =
    checkout.head === null
      ? `${here} has no commit yet`
      : !apart.related
        ? `the work began ${session.opening.repository ? 'elsewhere' : 'from nothing'}: ${branch} and ${here} have no commit in common`
        : `${here} has ${apart.ahead === 0 ? 'not moved on' : `moved on by ${commits}`}`
  const lost = `${here} no longer holds ${work.base.slice(0, 10)}, from which the work began`
  const both = `both sides ${apart.related ? 'changed' : 'have'} ${some(apart.both)}: look there for conflicts`
  const dirty = `not committed in your checkout, and touched by the work: ${some(apart.uncommitted)}`
  return [
    away,
    ...(apart.related && !apart.hasBase ? [paint('yellow', lost)] : []),
    ...(apart.both.length > 0 ? [paint('yellow', both)] : []),
    ...(apart.uncommitted.length > 0 ? [paint('yellow', dirty)] : []),
  ]
}

/** How to look at the work, and how to take it in, from where the user stands. */
function commandsFor({ checkout, apart, branch, work }: Applied): string[] {
  const isHere = `${process.cwd()}/`.startsWith(`${checkout.path}/`)
  const git = isHere ? 'git' : `git -C ${shellWord(checkout.path)}`
  const name = shellWord(branch)
  const from = apart.related ? `${shellWord(checkout.branch ?? 'HEAD')}...` : `${work.base.slice(0, 10)} `
  const unrelated = apart.related || checkout.head === null ? '' : '--allow-unrelated-histories '
  if (apart.taken) return [`look     ${git} show --stat ${name}`, `tidy up  ${git} branch -d ${name}`]
  return [`look     ${git} diff ${from}${name}`, `take in  ${git} merge ${unrelated}${name}`]
}

function record({ session, status, work, checkout, branch, there, apart }: Applied) {
  return {
    id: session.id,
    repository: checkout.path,
    branch,
    there,
    commit: work.commit,
    tree: work.tree,
    base: work.base,
    verdict: status.verdict?.verdict ?? null,
    doubt: work.doubt ?? null,
    changedSinceVerdict: work.changed,
    current: checkout.branch,
    ...apart,
  }
}

function some(files: string[]): string {
  const named = files.slice(0, 5).map(file => oneLine(file, 80))
  return `${named.join(', ')}${files.length > 5 ? ` and ${files.length - 5} more` : ''}`
}
