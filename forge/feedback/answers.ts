import { ForgeError } from '../errors.ts'
import type { Forge } from '../forge.ts'
import { createComment, editComment } from '../issues/claim-mark.ts'
import { isTrusted } from '../issues/trust.ts'
import { readWords } from './comments.ts'

/** What dispatch answers in a pull request. */
export interface Answer {
  /** Which answer it is: there is never a second one of the same. It cannot be guessed. */
  id: string
  /** The first comment of the thread; null for the conversation. */
  threadId: number | null
  text: string
}

/** The login in whose name requests are made. */
export async function readOwnLogin({ ownLogin, request }: Forge): Promise<string> {
  if (ownLogin !== undefined) return ownLogin
  const action = 'see whose login it is'
  try {
    return (await request(action, client => client.rest.users.getAuthenticated())).data.login
  } catch (error) {
    if (!(error instanceof ForgeError) || error.status !== 403) throw error
    // The token of an App is no user to REST.
    const answer = await request(action, client => client.graphql<{ viewer: { login: string } }>(VIEWER))
    return answer.viewer.login
  }
}

/**
 * Write answers into a pull request, each once: what is there already is found by its mark, and edited where it says something else. An
 * answer whose thread is gone is left out.
 */
export async function writeAnswers(forge: Forge, number: number, ownLogin: string, answers: Answer[]): Promise<void> {
  const words = await readWords(forge, number)
  const own = words.filter(({ author, association }) => isTrusted(association) || author === ownLogin)
  for (const { id, threadId, text } of answers) {
    const mark = `<!-- dispatch:answer ${id} -->`
    const body = `${mark}\n${text}`
    const known = own.find(each => each.body.startsWith(mark))
    if (known?.body === body) continue
    if (threadId === null) await (known ? editComment(forge, known.id, body) : createComment(forge, number, body))
    else await ignoreMissing(known ? editReply(forge, known.id, body) : createReply(forge, number, threadId, body))
  }
}

// --- internal ---

const VIEWER = 'query { viewer { login } }'

function createReply({ repository, request }: Forge, number: number, threadId: number, body: string) {
  return request(`answer in pull request ${number}`, client =>
    client.rest.pulls.createReplyForReviewComment({ ...repository, pull_number: number, comment_id: threadId, body }),
  )
}

function editReply({ repository, request }: Forge, id: number, body: string) {
  return request('edit an answer', client =>
    client.rest.pulls.updateReviewComment({ ...repository, comment_id: id, body }),
  )
}

async function ignoreMissing(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof ForgeError) || error.status !== 404) throw error
  }
}
