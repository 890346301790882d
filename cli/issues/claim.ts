import type { Forge } from '#forge'
import {
  type Claim,
  createBranch,
  createComment,
  deleteBranch,
  deleteComment,
  isInDefaultBranch,
  readBranchTip,
  readClaims,
  readIssue,
  renderClaimMark,
} from '#forge/issues'
import { DispatchError, exitCodes } from '#host/error.ts'
import { formatIssue, getClaimBranch, type IssueRecord, writeRecord } from './record.ts'

/** What an issue itself decides, as GitHub has it: to ask again is of use only once the issue has changed. Exit 5. */
export class IssueRefusal extends DispatchError {
  constructor(message: string, remedy = '') {
    super(message, { exitCode: exitCodes.conflict, remedy })
  }
}

/** How a claim begins. */
export interface ClaimOptions {
  /** An earlier process had begun it: what is there may be its own. */
  isContinued: boolean
  /** A person says that the claim which is there is dead. */
  takesOver: boolean
}

/**
 * Claim the issue of a record: a branch, which GitHub creates for exactly one, then a comment with a mark; then both are looked at
 * again, and the oldest mark wins. What was made is taken back where it was lost. Exit 5 then, which says whose it is.
 */
export async function claimIssue(
  home: string,
  forge: Forge,
  record: IssueRecord,
  { isContinued, takesOver }: ClaimOptions,
): Promise<IssueRecord> {
  const lose = (other: Claim | undefined): never => {
    writeRecord(home, record, { state: 'lost', reason: describeOwner(other) })
    throw createLostError(record, other)
  }
  const before = await readClaims(forge, record.number)
  const others = before.filter(({ claim }) => claim !== record.claim)
  if (takesOver) for (const { commentId } of others) await deleteComment(forge, commentId)
  else if (others[0] !== undefined && before[0]?.claim !== record.claim) lose(others[0])
  const isCreated = await createBranch(forge, getClaimBranch(record))
  // A process that died may have created it.
  if (!isCreated && !isContinued && !takesOver) lose((await readClaims(forge, record.number))[0])
  const tip = await readBranchTip(forge, getClaimBranch(record))
  // Others may have gone on, on a branch that was there before: then it stays, whatever becomes of this claim.
  const isOwnTip = tip !== undefined && (isCreated || (await isInDefaultBranch(forge, tip)))
  const branchTip = isOwnTip ? tip : null
  const own =
    before.find(({ claim }) => claim === record.claim)?.commentId ??
    (await createComment(forge, record.number, renderFirstWords(record))).id
  const marked = writeRecord(home, record, { commentId: own, branchTip })
  const [winner] = (await readClaims(forge, record.number)).filter(each => each.commentId <= own)
  if (winner !== undefined && winner.claim !== record.claim) {
    // The branch is the winner's.
    await deleteComment(forge, own)
    lose(winner)
  }
  const { isOpen } = await readIssue(forge, record.number)
  if (isOpen) return writeRecord(home, marked, { state: 'claimed' })
  await giveBack(home, forge, marked, 'it was closed meanwhile')
  throw createClosedError(record)
}

/**
 * Give an issue back: its comment is deleted, and its branch, unless that has commits of others or belongs to another claim. Returns what
 * was left.
 */
export async function giveBack(home: string, forge: Forge, record: IssueRecord, reason: string): Promise<string[]> {
  const claims = await readClaims(forge, record.number)
  const own = claims.filter(({ claim }) => claim === record.claim).map(({ commentId }) => commentId)
  for (const id of new Set([...own, ...(record.commentId === null ? [] : [record.commentId])]))
    await deleteComment(forge, id)
  const branch = getClaimBranch(record)
  const left: string[] = []
  if (claims.some(({ claim }) => claim !== record.claim)) left.push(`the branch ${branch}, of another claim`)
  else {
    const tip = await readBranchTip(forge, branch)
    if (tip !== undefined && (await isOwnBranch(forge, record, tip))) await deleteBranch(forge, branch)
    else if (tip !== undefined) left.push(`the branch ${branch}, which has other commits`)
  }
  writeRecord(home, record, { state: 'given back', reason, commentId: null })
  return left
}

/** The comment of a claim until there is more to say. */
export function renderFirstWords(record: IssueRecord): string {
  return `${renderClaimMark({ claim: record.claim, machine: record.machine, at: record.claimedAt })}\n**dispatch** has taken up this issue. What it does will be told here.`
}

/** Exit 5: a closed issue is no work. */
export function createClosedError(record: Pick<IssueRecord, 'owner' | 'name' | 'number'>): IssueRefusal {
  return new IssueRefusal(`${formatIssue(record)} is closed`, 'Reopen it, then run the same command again.')
}

// --- internal ---

/** Is nothing on the branch of a claim but what it began with? One that was lost before it knew of a branch has made none. */
async function isOwnBranch(forge: Forge, { branchTip, state }: IssueRecord, tip: string): Promise<boolean> {
  if (branchTip !== null) return tip === branchTip
  return state !== 'lost' && isInDefaultBranch(forge, tip)
}

function describeOwner(claim: Claim | undefined): string {
  if (claim === undefined) return 'another machine is about to claim it'
  return `@${claim.author} has claimed it on the machine ${claim.machine} (${claim.at})`
}

function createLostError(record: IssueRecord, other: Claim | undefined): DispatchError {
  const rule =
    other === undefined
      ? `its branch ${getClaimBranch(record)} is there, and no comment yet says whose it is`
      : describeOwner(other)
  const message = `${formatIssue(record)} is claimed: ${rule}`
  const remedy = `To give it back there: dispatch issue ${record.number} --release. If that machine is gone: dispatch issue ${record.number} --take-over`
  // The comment of the other one may come, or a person may delete a branch that was left: neither changes the issue.
  return other === undefined
    ? new DispatchError(message, { exitCode: exitCodes.conflict, remedy })
    : new IssueRefusal(message, remedy)
}
