import { ForgeError } from '../errors.ts'
import type { Forge } from '../forge.ts'

/** The newest commit of a branch; undefined without one. */
export async function readBranchTip({ repository, request }: Forge, branch: string): Promise<string | undefined> {
  try {
    const { data } = await request(`see the branch ${branch}`, client =>
      client.rest.git.getRef({ ...repository, ref: `heads/${branch}` }),
    )
    return data.object.sha
  } catch (error) {
    if (error instanceof ForgeError && error.status === 404) return undefined
    throw error
  }
}

/** Does the default branch have everything that leads to this commit? Not where others have gone on from there. */
export async function isInDefaultBranch(forge: Forge, commit: string): Promise<boolean> {
  const { repository, request } = forge
  const basehead = `${await readDefaultBranch(forge)}...${commit}`
  const { data } = await request(`compare ${basehead}`, client =>
    client.rest.repos.compareCommitsWithBasehead({ ...repository, basehead, per_page: 1 }),
  )
  return data.ahead_by === 0
}

/** Create a branch where the default branch is. False if it exists: of two that create it, exactly one gets true. */
export async function createBranch(forge: Forge, branch: string): Promise<boolean> {
  const { repository, request } = forge
  const defaultBranch = await readDefaultBranch(forge)
  const ref = await request(`see the branch ${defaultBranch}`, client =>
    client.rest.git.getRef({ ...repository, ref: `heads/${defaultBranch}` }),
  )
  try {
    await request(`create the branch ${branch}`, client =>
      client.rest.git.createRef({ ...repository, ref: `refs/heads/${branch}`, sha: ref.data.object.sha }),
    )
    return true
  } catch (error) {
    if (error instanceof ForgeError && error.status === 422 && (await readBranchTip(forge, branch)) !== undefined)
      return false
    throw error
  }
}

/** Delete a branch if it is there. */
export async function deleteBranch({ repository, request }: Forge, branch: string): Promise<void> {
  try {
    await request(`delete the branch ${branch}`, client =>
      client.rest.git.deleteRef({ ...repository, ref: `heads/${branch}` }),
    )
  } catch (error) {
    if (!(error instanceof ForgeError) || (error.status !== 404 && error.status !== 422)) throw error
  }
}

// --- internal ---

async function readDefaultBranch({ repository, request }: Forge): Promise<string> {
  const { data } = await request(`see ${repository.owner}/${repository.repo}`, client =>
    client.rest.repos.get(repository),
  )
  return data.default_branch
}
