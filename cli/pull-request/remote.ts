import { findRepositoryAddress, type RepositoryAddress } from '#forge'
import { DispatchError, exitCodes } from '#host/error.ts'
import { describeRemote, readFetchAddress, type Transport } from '#host/git/upstream'

/** The repository that a remote leads to, and the address that says so. Exit 2 for one that is not on a forge. */
export async function findForgeRepository(
  transport: Transport,
  direction: 'fetch' | 'push',
): Promise<{ repository: RepositoryAddress; address: string }> {
  const address = await (direction === 'push' ? describeRemote(transport) : readFetchAddress(transport))
  const repository = await findRepositoryAddress(address)
  if (repository !== undefined) return { repository, address }
  throw new DispatchError(
    `remote ${transport.remote} of ${transport.repository} is not a repository on GitHub: ${address}`,
    {
      exitCode: exitCodes.usage,
      remedy: 'To bring the work onto a branch of it without a pull request: dispatch land',
    },
  )
}
