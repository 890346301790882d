import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { isSessionOpen } from '#runner'
import type { Session } from '#session'
import { findUnsavedWork } from '#session/removal'
import { refuseOtherHost } from '#session/status'
import { formatTitle, paint, print } from '../output/terminal.ts'
import { confirmSessionId, isAtTerminal } from './confirm.ts'

/** Exit 5 for a session that is still open, or belongs to another machine. */
export async function refuseOpen(session: Session, config: Config): Promise<void> {
  await refuseOtherHost(session)
  if (await isSessionOpen(session, config)) throw createOpenError(session)
}

export function createOpenError({ id }: Session): DispatchError {
  return new DispatchError(`session ${id} is still open; nothing was removed`, {
    exitCode: exitCodes.conflict,
    remedy: `Stop it first: dispatch stop ${id.slice(-4)}`,
  })
}

/** The repositories that save a session's work: its own, and the current one. One below dispatch's home saves nothing. */
export function listSavingFolders({ manifest }: Session, home: string): string[] {
  const repository = manifest.repository ? [manifest.repository.path] : []
  return [...repository, process.cwd()].filter(folder => !`${folder}/`.startsWith(`${home}/`))
}

/**
 * Ask a person before work is deleted that exists only in the session. Returns what the person gives up; undefined if there is no such
 * work. Exit 5 for a no, and where nothing may be asked. What was given up before, `givenUp`, is not asked for again.
 */
export async function confirmUnsavedWork(
  session: Session,
  { home }: Config,
  { givenUp, mayAsk = isAtTerminal() }: { givenUp?: string | undefined; mayAsk?: boolean } = {},
): Promise<string | undefined> {
  const { id } = session
  const unsavedWork = await findUnsavedWork(session, listSavingFolders(session, home))
  if (unsavedWork === undefined || unsavedWork.description === givenUp) return unsavedWork?.description
  const { description, remedy } = unsavedWork
  if (mayAsk) print(`${formatTitle(id)}\n  ${paint('red', description)}`)
  if (mayAsk && (await confirmSessionId(session, '  Remove it anyway?'))) return description
  throw new DispatchError(`${mayAsk ? '' : `${id}: ${description}. `}Nothing was removed.`, {
    exitCode: exitCodes.conflict,
    remedy: `${remedy}. To delete it: dispatch rm --force ${id.slice(-4)}`,
  })
}
