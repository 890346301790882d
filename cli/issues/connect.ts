import path from 'node:path'
import { connectForge, type Forge } from '#forge'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findCheckout } from '#host/git'
import { readTransport } from '#host/git/upstream'
import { findTarget } from '#projects'
import { UsageError } from '../command.ts'
import { findForgeRepository } from '../pull-request/remote.ts'
import type { IssueRecord } from './record.ts'

/** A checkout, and the repository on GitHub whose issues are its work. */
export interface IssuePlace {
  checkout: string
  forge: Forge
}

/**
 * Connect to the repository to which the remote of a checkout leads: its usual one, or `remote`. Exit 2 for a folder without a
 * repository or a remote that is not on GitHub, 7 without a login.
 */
export async function connectCheckout(config: Config, folder: string, remote?: string): Promise<IssuePlace> {
  const checkout = (await findCheckout(path.resolve(folder)))?.path
  if (checkout === undefined)
    throw new UsageError(`${folder} is not a git repository with a work tree`, 'Name one: --repo DIR')
  const name = remote ?? (await findTarget(checkout)).remote
  if (name === null)
    throw new DispatchError(`${checkout} has no remote, or several and no origin`, {
      exitCode: exitCodes.usage,
      remedy: 'Issues are those of the repository that the remote leads to. Add it: git remote add origin ADDRESS',
    })
  const { repository } = await findForgeRepository(await readTransport(checkout, name), 'fetch')
  return { checkout, forge: await connectForge(repository, config) }
}

/** Connect to the repository of a record. */
export async function connectRecord(config: Config, record: IssueRecord): Promise<Forge> {
  const { host, owner, name, isPlainHttp } = record
  return connectForge({ host, owner, name, isPlainHttp }, config)
}
