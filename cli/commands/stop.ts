import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { checkLiveness, killProcessTree, type ProcessIdentity } from '#host/process'
import { openTmux } from '#host/tmux'
import { closeSession, requestClose } from '#runner'
import { findSession, listDamagedSessions, listSessions, type Session } from '#session'
import { readLeaseHolder } from '#session/lease'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'
import { backgroundSession } from '../background.ts'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Ends every process of the session and only those: orchestrator, workers, runner, terminal. Everything on disk stays.
`,
  options: {
    all: { type: 'boolean', about: 'every session, the page and the watchdog' },
  },
  async run(values, words) {
    const config = readConfigOrDefaults()
    if (!values.all && words.length === 0)
      throw new DispatchError('which session?', {
        exitCode: exitCodes.usage,
        remedy: 'dispatch stop <sid>, or --all. `dispatch ls` lists them.',
      })
    const sessions = values.all
      ? listSessions(config.workspace)
      : words.map(named => findSession(config.workspace, named))
    const own = sessions.filter(session => !values.all || session.newerFormat === undefined)
    const stopped = (
      await Promise.all(own.map(async session => ((await stopSession(session, config)) ? session.id : undefined)))
    ).filter(id => id !== undefined)
    for (const id of stopped) print(`stopped ${id}`)
    if (stopped.length === 0) print('Nothing was running.')
    for (const { id, reason } of values.all ? listDamagedSessions(config.workspace) : [])
      print(`left alone ${id}: it cannot be read (${reason})`)
    for (const { id } of sessions.filter(session => !own.includes(session)))
      print(`left alone ${id}: a newer dispatch wrote it`)
    if (values.all) {
      await openTmux(config.home).closeSession(backgroundSession)
      await openTmux(config.home).removeStaleSocket()
    }
    return exitCodes.ok
  },
})

/** Ask a living runner; where there is none, or it does not react, do it in its place. Answers whether anything was open. */
async function stopSession(session: Session, config: Config): Promise<boolean> {
  const isClosed = () => {
    const status = computeStatus(readLog(session.paths.events).events)
    return status.closed !== undefined || status.phase === 'failed'
  }
  if (isClosed()) return false
  await requestClose(session, 'dispatch stop')
  const runner = readLeaseHolder(session.paths.runnerLease)
  for (let tries = 0; runner && tries < 100 && (await checkLiveness(runner)) === 'alive'; tries++)
    await new Promise(resolve => setTimeout(resolve, 100))
  if (isClosed()) return true
  if (runner && (await checkLiveness(runner)) === 'alive') await endRunner(runner)
  await closeSession(session, config, 'you', 'dispatch stop')
  return true
}

/** A runner that does not react is killed; the session is only closed in its place once it is gone for certain. */
async function endRunner(runner: ProcessIdentity): Promise<void> {
  await killProcessTree(runner, '')
  for (let tries = 0; tries < 50 && (await checkLiveness(runner)) === 'alive'; tries++)
    await new Promise(resolve => setTimeout(resolve, 50))
}
