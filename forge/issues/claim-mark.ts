import { z } from 'zod'
import { ForgeError, isDenied } from '../errors.ts'
import type { Forge } from '../forge.ts'
import { type IssueComment, listComments, toComment } from './issue.ts'
import { mayHold } from './trust.ts'

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
  for (const { id, author, body } of await listComments(forge, number)) {
    const mark = hasClaimMark(body) ? ClaimMark.safeParse(parseMark(body)).data : undefined
    if (mark === undefined) continue
    if (author === forge.ownLogin || (await mayHold(forge, author)))
      claims.push({ ...mark, commentId: id, author, body })
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
export async function editComment(forge: Forge, id: number, body: string): Promise<boolean> {
  const { repository, request } = forge
  return isThere(
    forge,
    id,
    request('edit a comment', client => client.rest.issues.updateComment({ ...repository, comment_id: id, body })),
  )
}

/** Delete a comment. False if it was gone. */
export async function deleteComment(forge: Forge, id: number): Promise<boolean> {
  const { repository, request } = forge
  return isThere(
    forge,
    id,
    request('delete a comment', client => client.rest.issues.deleteComment({ ...repository, comment_id: id })),
  )
}

// --- internal ---

const BEGIN = '<!-- dispatch:claim '

function parseMark(body: string): unknown {
  try {
    return JSON.parse(body.slice(BEGIN.length, body.indexOf(' -->')))
  } catch {
    return undefined
  }
}

async function isThere(forge: Forge, id: number, done: Promise<unknown>): Promise<boolean> {
  try {
    await done
    return true
  } catch (error) {
    if (error instanceof ForgeError && (error.status === 404 || error.status === 410) && (await isGone(forge, id)))
      return false
    throw error
  }
}

/** GitHub says the same where a login may no longer see or change it. So it is gone only where comments are shown, and this one is not. */
async function isGone({ repository, request }: Forge, id: number): Promise<boolean> {
  try {
    await request('see its comments', client => client.rest.issues.listCommentsForRepo({ ...repository, per_page: 1 }))
  } catch (error) {
    if (isDenied(error)) return false
    throw error
  }
  try {
    await request('see a comment', client => client.rest.issues.getComment({ ...repository, comment_id: id }))
    return false
  } catch (error) {
    if (error instanceof ForgeError && (error.status === 404 || error.status === 410)) return true
    throw error
  }
}
