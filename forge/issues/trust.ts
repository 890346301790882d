import { MINUTE_MS } from '#host/time.ts'
import { isDenied } from '../errors.ts'
import type { Forge } from '../forge.ts'
import { mayWrite } from './history.ts'

/** How close a person is to the repository, as GitHub says it: `OWNER`, `MEMBER`, `COLLABORATOR`, `CONTRIBUTOR`, `NONE` … */
export type Association = string

/** Do the words of someone this close to the repository count? Pure. */
export function isTrusted(association: Association): boolean {
  return ['OWNER', 'MEMBER', 'COLLABORATOR'].includes(association)
}

/** May this person write to the repository? It is looked up once in ten minutes. Where the login may not see that, the answer is no. */
export async function mayHold(forge: Forge, author: string): Promise<boolean> {
  const known = permissions.get(forge) ?? new Map<string, Permission>()
  permissions.set(forge, known)
  const before = known.get(author)
  if (before !== undefined && before.untilMs > performance.now()) return before.mayWrite
  const answer = { mayWrite: await askIfMayWrite(forge, author), untilMs: performance.now() + PERMISSION_MS }
  known.set(author, answer)
  return answer.mayWrite
}

/**
 * GitHub shows only public members of an organization as such, also to dispatch. So whose association decides nothing is asked for, and who
 * may write is a collaborator.
 */
export async function revealMembers<Each extends { author: string; association: Association }>(
  forge: Forge,
  written: Each[],
): Promise<Each[]> {
  const strangers = written.filter(({ association, author }) => !isTrusted(association) && isPerson(author))
  const names = [...new Set(strangers.map(({ author }) => author))].slice(-MAX_ASKED_COUNT)
  const members = new Set<string>()
  for (const name of names) if (await mayHold(forge, name)) members.add(name)
  return written.map(each =>
    members.has(each.author) && !isTrusted(each.association) ? { ...each, association: 'COLLABORATOR' } : each,
  )
}

// --- internal ---

/** Anyone may write in a public repository. The newest that many are asked about. */
const MAX_ASKED_COUNT = 50

/** For how long the answer of GitHub about a person counts. */
const PERMISSION_MS = 10 * MINUTE_MS

interface Permission {
  mayWrite: boolean
  untilMs: number
}

const permissions = new WeakMap<Forge, Map<string, Permission>>()

function isPerson(author: string): boolean {
  return author !== 'ghost' && !author.endsWith('[bot]')
}

async function askIfMayWrite(forge: Forge, author: string): Promise<boolean> {
  try {
    return await mayWrite(forge, author)
  } catch (error) {
    if (isDenied(error)) return false
    throw error
  }
}
