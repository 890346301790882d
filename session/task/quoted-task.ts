/** Words of people who are not at this machine, with where they come from, such as `comment by @ada (OWNER)`. */
export interface QuotedBlock {
  heading: string
  text: string
}

/**
 * A task that others wrote: what is to be done in the words of dispatch, then each block below a line that begins with the nonce, and a
 * last such line. The writer of a block cannot know the nonce, so nothing in one ends it. Pure.
 */
export function renderQuotedTask(lead: string, nonce: string, blocks: QuotedBlock[]): string {
  if (!NONCE.test(nonce)) throw new Error(`no nonce: ${nonce}`)
  return [
    lead,
    '',
    ...blocks.flatMap(({ heading, text }) => [`[${nonce}] ${heading}`, text.trim(), '']),
    `[${nonce}] end`,
    '',
  ].join('\n')
}

/** The nonce of a quoted task, and its blocks; undefined for a task that a person at this machine wrote. Pure. */
export function readQuotedTask(task: string): { nonce: string; blocks: QuotedBlock[] } | undefined {
  const [, nonce] = /^\[([0-9a-f]{32})\] end\n?$/m.exec(task.slice(-MAX_END_CHARS)) ?? []
  if (nonce === undefined) return undefined
  const parts = task.split(new RegExp(`^\\[${nonce}\\] (.*)$`, 'm')).slice(1)
  const blocks = parts.flatMap((heading, at) =>
    at % 2 === 0 && at < parts.length - 2 ? [{ heading, text: parts[at + 1] ?? '' }] : [],
  )
  return { nonce, blocks }
}

/** What the people behind a task want: all of it, or without the lines of dispatch. Pure. */
export function readWishes(task: string): string {
  return (
    readQuotedTask(task)
      ?.blocks.map(({ text }) => text.trim())
      .join('\n\n') ?? task
  )
}

// --- internal ---

const NONCE = /^[0-9a-f]{32}$/
const MAX_END_CHARS = 64
