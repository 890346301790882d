import type { Forge } from '../forge.ts'

/** A pull request, as far as what comes back depends on it. */
export interface FollowedPull {
  state: 'open' | 'closed' | 'merged'
  base: string
  headCommit: string
  body: string
  /** False where it does not merge into its branch; null while GitHub finds that out. */
  isMergeable: boolean | null
  /** It could be merged if it were up to date with its branch, which asks for that. */
  isBehind: boolean
}

/** Read where a pull request is. Exit 4 without one. */
export async function readFollowedPull({ repository, request }: Forge, number: number): Promise<FollowedPull> {
  const { data } = await request(`read pull request ${number}`, client =>
    client.rest.pulls.get({ ...repository, pull_number: number }),
  )
  return {
    state: data.merged ? 'merged' : data.state === 'open' ? 'open' : 'closed',
    base: data.base.ref,
    headCommit: data.head.sha,
    body: data.body ?? '',
    isMergeable: data.mergeable,
    isBehind: data.mergeable_state === 'behind',
  }
}

/** Was it merged or closed? Pure. */
export function isOver({ state }: FollowedPull): boolean {
  return state !== 'open'
}
