import fs from 'node:fs'
import path from 'node:path'
import { git } from '#host/git'
import { fetchBranch, type Transport } from '#host/git/upstream'
import type { Commit } from '#session/repository'
import type { RunnerContext } from '../context.ts'

const TARGET_REF = 'refs/landing/target'

/**
 * Fetch a branch of the remote into the session's own repository. This process has the lease of the session, so a lock that lies there is
 * that of a killed one.
 */
export async function fetchTarget(
  { session: { paths } }: RunnerContext,
  { transport, branch }: { transport: Transport; branch: string },
): Promise<Commit> {
  const { bareRepository } = paths
  for (const folder of ['refs/landing', 'refs/heads', '.'])
    for (const name of fs.globSync('*.lock', { cwd: path.join(bareRepository, folder) }))
      fs.rmSync(path.join(bareRepository, folder, name), { force: true })
  await fetchBranch(bareRepository, transport, branch, TARGET_REF)
  const names = ['commit', 'tree'].map(kind => `${TARGET_REF}^{${kind}}`)
  const [commit = '', tree = ''] = (await git(['--git-dir', bareRepository, 'rev-parse', ...names])).split('\n')
  return { commit, tree }
}
