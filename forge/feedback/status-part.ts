import type { Forge } from '../forge.ts'

/** The body of a pull request with these words in the part that tells how it goes, below all else; without that part where they are empty. Pure. */
export function replaceStatusPart(body: string, words: string): string {
  // It is the last one. What stands before it may have the words of others.
  const begin = body.lastIndexOf(BEGIN)
  const end = body.indexOf(END, begin)
  const isThere = begin >= 0 && end > begin
  const part = words === '' ? '' : `${BEGIN}\n${words}\n${END}`
  if (isThere) return `${body.slice(0, begin)}${part}${body.slice(end + END.length)}`.trimEnd()
  return part === '' ? body : `${body.trimEnd()}\n\n${part}`.trimStart()
}

/** Bring that part up to date, and nothing else. Nothing is written where it says that already. */
export async function writeStatusPart(
  { repository, request }: Forge,
  number: number,
  before: string,
  words: string,
): Promise<void> {
  const body = replaceStatusPart(before, words)
  if (body === before) return
  await request(`update pull request ${number}`, client =>
    client.rest.pulls.update({ ...repository, pull_number: number, body }),
  )
}

// --- internal ---

const BEGIN = '<!-- dispatch:followed -->'
const END = '<!-- dispatch:followed end -->'
