import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findRepository, type UserRepository } from '#host/git'

/** The user's checkout: the folder that is named, or the current one. Exit 2 for anything else. */
export async function requireRepository(config: Config, folder: string | undefined): Promise<UserRepository> {
  const repository = await findRepository(folder, [config.installFolder, config.home])
  if (!repository)
    throw new DispatchError('this folder is not in a git repository', {
      exitCode: exitCodes.usage,
      remedy: 'Go to one, or name it: dispatch prepare --repo DIR',
    })
  if (`${repository.path}/`.startsWith(`${config.home}/`))
    throw new DispatchError(`${repository.path} is in DISPATCH_HOME, where agents write`, {
      exitCode: exitCodes.usage,
      remedy: 'Name your own checkout: dispatch prepare --repo DIR',
    })
  return repository
}
