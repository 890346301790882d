import { findRepositoryAddress } from '#forge'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { resolveCommit } from '#host/git'
import { findRemote, listOwnWork } from '#host/git/remote'
import { readFetchAddress, readTransport } from '#host/git/upstream'

/** Where a runner gets dispatch from. */
export interface DispatchSource {
  source: string
  commit: string
}

/**
 * The dispatch that runs here: the address of its clone's remote, and the commit. Exit 5 for a commit that is on no remote, because a
 * runner could not fetch it.
 */
export async function findOwnSource({ cloneFolder, installFolder }: Config): Promise<DispatchSource> {
  const repository = await findRemote(cloneFolder)
  const version = installFolder === cloneFolder ? 'HEAD' : (/[0-9a-f]{12}$/.exec(installFolder)?.[0] ?? 'HEAD')
  const commit = repository && (await resolveCommit(cloneFolder, version))
  if (repository === undefined || commit === undefined)
    throw new DispatchError(`${cloneFolder} does not say which commit of dispatch this is`, {
      exitCode: exitCodes.conflict,
      remedy: 'Name it: --source https://… --commit HASH',
    })
  const own = (await listOwnWork(cloneFolder, [])).filter(line => line.startsWith('commit '))
  if (version === 'HEAD' && own.length > 0)
    throw new DispatchError(`this dispatch has commits that are on no remote: ${own[0]}`, {
      exitCode: exitCodes.conflict,
      remedy: 'Push them, or name a commit that a runner can fetch: --source https://… --commit HASH',
    })
  const address = await readFetchAddress(await readTransport(cloneFolder, repository.remote))
  return { source: await toHttps(address), commit }
}

// --- internal ---

/** A runner has no key for ssh. A password in an address stays here. */
async function toHttps(address: string): Promise<string> {
  const found = await findRepositoryAddress(address)
  if (found === undefined) return address
  const { host, owner, name, isPlainHttp } = found
  return `${isPlainHttp ? 'http' : 'https'}://${host}/${owner}/${name}.git`
}
