import { z } from 'zod'
import { MINUTE_MS } from '#host/time.ts'
import { ForgeError } from '../errors.ts'
import type { Forge } from '../forge.ts'
import { mayWrite } from './history.ts'
import { type IssueComment, isTrusted, readComments, toComment } from './issue.ts'

/** What a claim says of itself in its comment. */
const ClaimMark = z.object({
  /** Which claim it is. */
  claim: z.string().regex(/^[0-9a-f]{16}$/),
  /** The machine that works on it, by a name that its owner knows. */
  machine: z.string().max(100),
  at: z.iso.datetime(),
})
export type ClaimMark = z.infer<typeof ClaimMark>

/** A claim, with its comment. */
export interface Claim extends ClaimMark {
  commentId: number
  author: string
  body: string
}

/** The line by which the comment of a claim is found again. GitHub does not show it. Pure. */
export function renderClaimMark(mark: ClaimMark): string {
  return `${BEGIN}${JSON.stringify(ClaimMark.parse(mark)).replaceAll('-->', '')} -->`
}

/** Does a comment begin with such a line? Pure. */
export function hasClaimMark(body: string): boolean {
  return body.startsWith(BEGIN)
}

/**
 * Read the claims of an issue, the oldest first: that one counts. Only comments of people who may write to the repository can be claims, so
 * that no one else holds anything up, and those of an App whose own they are.
 */
export async function readClaims(forge: Forge, number: number): Promise<Claim[]> {
  const claims: Claim[] = []
  for (const { id, author, association, body } of await readComments(forge, number)) {
    const mark = hasClaimMark(body) ? ClaimMark.safeParse(parseMark(body)).data : undefined
    const mayClaim = author === forge.ownLogin || (isTrusted(association) && mark && (await mayHold(forge, author)))
    if (mark !== undefined && mayClaim) claims.push({ ...mark, commentId: id, author, body })
  }
  return claims
}

/** Write a comment. It is not tried again by itself: look for it first. */
export async function createComment(
  { repository, request }: Forge,
  number: number,
  body: string,
): Promise<IssueComment> {
  const { data } = await request(`comment on issue ${number}`, client =>
    client.rest.issues.createComment({ ...repository, issue_number: number, body }),
  )
  return toComment({ ...data, user: data.user ?? null })
}

/** Change a comment. False if it is gone. */
export async function editComment({ repository, request }: Forge, id: number, body: string): Promise<boolean> {
  return isThere(
    request('edit a comment', client => client.rest.issues.updateComment({ ...repository, comment_id: id, body })),
  )
}

/** Delete a comment. False if it was gone. */
export async function deleteComment({ repository, request }: Forge, id: number): Promise<boolean> {
  return isThere(
    request('delete a comment', client => client.rest.issues.deleteComment({ ...repository, comment_id: id })),
  )
}

// --- internal ---

const BEGIN = '<!-- dispatch:claim '

/** For how long the answer of GitHub about a person counts. */
const PERMISSION_MS = 10 * MINUTE_MS

const permissions = new WeakMap<Forge, Map<string, { mayWrite: boolean; untilMs: number }>>()

/** A member or a collaborator may have no more than the right to read. It is looked up once for each. */
async function mayHold(forge: Forge, author: string): Promise<boolean> {
  const known = permissions.get(forge) ?? new Map<string, { mayWrite: boolean; untilMs: number }>()
  permissions.set(forge, known)
  const before = known.get(author)
  if (before !== undefined && before.untilMs > performance.now()) return before.mayWrite
  const answer = { mayWrite: await mayWrite(forge, author), untilMs: performance.now() + PERMISSION_MS }
  known.set(author, answer)
  return answer.mayWrite
}

function parseMark(body: string): unknown {
  try {
    return JSON.parse(body.slice(BEGIN.length, body.indexOf(' -->')))
  } catch {
    return undefined
  }
}

async function isThere(done: Promise<unknown>): Promise<boolean> {
  try {
    await done
    return true
  } catch (error) {
    if (error instanceof ForgeError && (error.status === 404 || error.status === 410)) return false
    throw error
  }
}
