import { getStatus } from './errors.ts'

/** What GitHub answered, by its address, with the tag by which it is asked whether that has changed. */
export type AnswerMemory = Map<string, { etag: string; answer: unknown }>

/**
 * Ask only for what has changed since it was asked last. An answer that has not costs nothing of the rate limit. Each answer is a copy of
 * its own: the client makes one list of the pages in the place where it got them.
 */
export async function askForChange<Answer extends { headers: { etag?: string | undefined } }>(
  memory: AnswerMemory,
  url: string,
  ask: (etag: string | undefined) => Promise<Answer>,
): Promise<Answer> {
  const known = memory.get(url)
  try {
    const answer = await ask(known?.etag)
    const { etag } = answer.headers
    if (etag !== undefined) memory.set(url, { etag, answer: structuredClone(answer) })
    return answer
  } catch (error) {
    if (known !== undefined && getStatus(error) === 304) return structuredClone(known.answer) as Answer
    throw error
  }
}
