import { ForgeError } from '../errors.ts'
import type { Forge } from '../forge.ts'
import { isTrusted } from '../issues/trust.ts'

/** An issue that was just made, or found again. `id` is that of REST, which is not its number. */
export interface MadeIssue {
  number: number
  id: number
  url: string
}

/** The ids of the issues below an issue; undefined where this GitHub knows no sub-issues. */
export async function listSubIssues({ repository, request }: Forge, number: number): Promise<number[] | undefined> {
  try {
    const listed = await request(`list the sub-issues of issue ${number}`, client =>
      client.paginate(client.rest.issues.listSubIssues, { ...repository, issue_number: number, per_page: 100 }),
    )
    return listed.map(({ id }) => id)
  } catch (error) {
    if (error instanceof ForgeError && (error.status === 404 || error.status === 410)) return undefined
    throw error
  }
}

/** Put an issue below another one. */
export async function addSubIssue({ repository, request }: Forge, number: number, id: number): Promise<void> {
  await request(`add a sub-issue to issue ${number}`, client =>
    client.rest.issues.addSubIssue({ ...repository, issue_number: number, sub_issue_id: id }),
  )
}

/** Make an issue. It is not tried again by itself: look for it first. */
export async function createIssue(
  { repository, request }: Forge,
  { title, body }: { title: string; body: string },
): Promise<MadeIssue> {
  const { data } = await request('open an issue', client => client.rest.issues.create({ ...repository, title, body }))
  return { number: data.number, id: data.id, url: data.html_url }
}

/**
 * The issues, changed since then, whose text ends with a line of this beginning, by the rest of that line. Only trusted people count, and
 * the App that looks. Of two with the same line the older one.
 */
export async function findMarkedIssues(forge: Forge, mark: string, since: string): Promise<Map<string, MadeIssue>> {
  const { repository, request, ownLogin } = forge
  const listed = await request('list the issues', client =>
    client.paginate(client.rest.issues.listForRepo, { ...repository, state: 'all', since, per_page: 100 }),
  )
  const found = new Map<string, MadeIssue>()
  for (const { number, id, html_url: url, body, user, author_association } of listed.sort(
    (a, b) => b.number - a.number,
  )) {
    const last = (body ?? '').trimEnd().split('\n').at(-1)?.trim() ?? ''
    if (last.startsWith(mark) && (isTrusted(author_association ?? '') || user?.login === ownLogin))
      found.set(last.slice(mark.length), { number, id, url })
  }
  return found
}
