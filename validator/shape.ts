import { z } from 'zod'

/**
 * How a reply of Gemini's is made, without what it says: one line for each thing, such as `judge candidate: content,
 * finishReason, index`. It is kept beside the judgement; the reply itself is not, for our own clause stands in it.
 */
export function shapeOf(body: string): string[] {
  const reply = bag(parsed(body))
  const candidates = list(reply['candidates']).map(bag)
  const contents = candidates.map(({ content }) => bag(content))
  const parts = contents.flatMap(content => list(content['parts']))
  return [
    line('judge reply', names([reply])),
    line('judge candidates', [candidates.length > 1 ? 'several' : candidates.length === 1 ? 'one' : 'none']),
    line('judge candidate', names(candidates)),
    line('judge finishReason', words(candidates.map(({ finishReason }) => finishReason))),
    line('judge content', names(contents)),
    line('judge part', names(parts.map(bag))),
    line('judge usageMetadata', names([bag(reply['usageMetadata'])])),
    line('judge promptFeedback', names([bag(reply['promptFeedback'])])),
    line('judge modelVersion', words([reply['modelVersion']])),
  ].flat()
}

// --- internal ---

const Bag = z.record(z.string(), z.unknown())

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function bag(value: unknown): Record<string, unknown> {
  return Bag.safeParse(value).data ?? {}
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, 100) : []
}

/** The names that these things have, all together. */
function names(things: Record<string, unknown>[]): string[] {
  return words(things.flatMap(Object.keys))
}

/** What is a plain word, each once; anything longer or stranger is no trait. */
function words(found: unknown[]): string[] {
  const plain = found.filter(word => typeof word === 'string').filter(word => /^[\w./:@-]{1,60}$/.test(word))
  return [...new Set(plain)].sort().slice(0, 60)
}

function line(about: string, parts: string[]): string[] {
  return parts.length === 0 ? [] : [`${about}: ${parts.join(', ')}`]
}
