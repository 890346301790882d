import { type Config, readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName, isSessionOpen } from '#runner'
import { findSession, findUnsavedWork, finishRemovals, refuseNewerFormat, removeSession, type Session } from '#session'
import { refuseOtherHost } from '#session/status'
import { defineCommand } from '../command.ts'
import { confirmSessionId, isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { formatTitle, paint, print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Deletes the folder of a session with its outputs, evidence, verdict and log. A session that is still open is refused. Before
work is deleted that no branch of your repository, or of the current one, contains, you are asked (in scripts: --force). Either
all the named sessions are deleted, or none. Claude keeps its own transcripts.
`,
  options: { force: { type: 'boolean', about: 'do not ask before unsaved work is deleted' } },
  async run(values, idsOrParts) {
    const config = readConfig()
    const found = idsOrParts.map(idOrPart => findSession(config.workspace, idOrPart))
    const sessions = [...new Map(found.map(session => [session.id, session])).values()]
    await refuseAgent('rm')
    for (const session of sessions) refuseNewerFormat(session)
    for (const session of sessions) await refuseOpen(session, config)
    for (const session of sessions) if (!values.force) await confirmUnsavedWork(session, config)
    for (const session of sessions) {
      removeSession(config.workspace, session)
      await openTmux(config.home).closeSession(getTmuxSessionName(session)) // Windows of ended processes may remain.
      print(`removed ${session.id}`)
    }
    finishRemovals(config.workspace)
  },
})

async function refuseOpen(session: Session, config: Config): Promise<void> {
  await refuseOtherHost(session)
  if (!(await isSessionOpen(session, config))) return
  throw new DispatchError(`session ${session.id} is still open; nothing was removed`, {
    exitCode: exitCodes.conflict,
    remedy: `Stop it first: dispatch stop ${session.id.slice(-4)}`,
  })
}

/** Ask a person before work is deleted that exists only in the session. Exit 5 for a no, and without a terminal. */
async function confirmUnsavedWork(session: Session, { home }: Config): Promise<void> {
  const { id, manifest } = session
  const repository = manifest.repository ? [manifest.repository.path] : []
  // A repository below dispatch's own home, such as outputs/, does not save the work.
  const folders = [...repository, process.cwd()].filter(folder => !`${folder}/`.startsWith(`${home}/`))
  const unsavedWork = await findUnsavedWork(session, folders)
  if (unsavedWork === undefined) return
  const { description, remedy } = unsavedWork
  if (isAtTerminal()) print(`${formatTitle(id)}\n  ${paint('red', description)}`)
  if (await confirmSessionId(session, '  Remove it anyway?')) return
  throw new DispatchError(`${isAtTerminal() ? '' : `${id}: ${description}. `}Nothing was removed.`, {
    exitCode: exitCodes.conflict,
    remedy: `${remedy}. To delete it: dispatch rm --force ${id.slice(-4)}`,
  })
}
