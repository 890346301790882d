import { ForgeError } from '../errors.ts'
import type { Forge } from '../forge.ts'

/** Who did something to an issue, and when: ISO 8601. */
export interface IssueAct {
  by: string
  at: string
}

/** What was done to an issue, as far as it decides whether its work starts by itself. */
export interface IssueHistory {
  /** Who set each label that it has now, by its name in lower case: the last time. */
  labeled: Record<string, IssueAct>
  /** Who put it into its milestone, by the title of that. */
  milestoned: Record<string, IssueAct>
  /** The last change of its title. */
  renamedAt: string | null
}

/** Read the history of an issue. */
export async function readHistory({ repository, request }: Forge, number: number): Promise<IssueHistory> {
  const events = await request(`read the history of issue ${number}`, client =>
    client.paginate(client.rest.issues.listEvents, { ...repository, issue_number: number, per_page: 100 }),
  )
  return foldHistory(events as ListedEvent[])
}

/** May this person write to the repository? A bot and an account that is gone may not. */
export async function mayWrite({ repository, request }: Forge, login: string): Promise<boolean> {
  try {
    const { data } = await request(`see what @${login} may do`, client =>
      client.rest.repos.getCollaboratorPermissionLevel({ ...repository, username: login }),
    )
    return data.permission === 'admin' || data.permission === 'write'
  } catch (error) {
    if (error instanceof ForgeError && error.status === 404) return false // GitHub answers so for a bot.
    throw error
  }
}

// --- internal ---

interface ListedEvent {
  id: number
  event: string
  actor: { login: string } | null
  created_at: string
  label?: { name?: string | null }
  milestone?: { title?: string }
}

function foldHistory(events: ListedEvent[]): IssueHistory {
  const history: IssueHistory = { labeled: {}, milestoned: {}, renamedAt: null }
  for (const { event, actor, created_at: at, label, milestone } of events.toSorted((a, b) => a.id - b.id)) {
    const act = { by: actor?.login ?? '', at }
    const name = label?.name?.toLowerCase() ?? ''
    const title = milestone?.title ?? ''
    if (event === 'labeled') history.labeled[name] = act
    if (event === 'unlabeled') delete history.labeled[name]
    if (event === 'milestoned') history.milestoned[title] = act
    if (event === 'demilestoned') delete history.milestoned[title]
    if (event === 'renamed') history.renamedAt = at
  }
  return history
}
