import { type Config, DispatchError, exits, type Identity, killFamily, liveness, tmuxOf } from '../../host/index.ts'
import { askToClose, closeSession } from '../../runner/index.ts'
import {
  damagedSessions,
  findSession,
  holder,
  listSessions,
  readLog,
  type Session,
  statusOf,
} from '../../session/index.ts'
import { defineCommand } from '../command.ts'
import { houseSession } from '../house.ts'
import { lenientConfig } from '../lenient.ts'
import { print } from '../terminal.ts'

export const command = defineCommand({
  about: `
Ends every process of the session and only those: orchestrator, workers, runner, terminal. Everything on disk stays.
`,
  options: {
    all: { type: 'boolean', about: 'every session, the page and the watchdog' },
  },
  async run(values, words) {
    const config = lenientConfig()
    if (!values.all && words.length === 0)
      throw new DispatchError('which session?', {
        exit: exits.usage,
        remedy: 'dispatch stop <sid>, or --all. `dispatch ls` lists them.',
      })
    const sessions = values.all
      ? listSessions(config.workspace)
      : words.map(named => findSession(config.workspace, named))
    const own = sessions.filter(session => !values.all || session.format === undefined)
    const stopped = (
      await Promise.all(own.map(async session => ((await stop(session, config)) ? session.id : undefined)))
    ).filter(id => id !== undefined)
    for (const id of stopped) print(`stopped ${id}`)
    if (stopped.length === 0) print('Nothing was running.')
    for (const { id, why } of values.all ? damagedSessions(config.workspace) : [])
      print(`left alone ${id}: it cannot be read (${why})`)
    for (const { id } of sessions.filter(session => !own.includes(session)))
      print(`left alone ${id}: a newer dispatch wrote it`)
    if (values.all) {
      await tmuxOf(config.home).closeSession(houseSession)
      await tmuxOf(config.home).tidy()
    }
    return exits.ok
  },
})

/** Ask a living runner; where there is none, or it does not react, do it in its place. Answers whether anything was open. */
async function stop(session: Session, config: Config): Promise<boolean> {
  const isClosed = () => {
    const status = statusOf(readLog(session.paths.events).events)
    return status.closed !== undefined || status.phase === 'failed'
  }
  if (isClosed()) return false
  await askToClose(session, 'dispatch stop')
  const runner = holder(session.paths.runner)
  for (let tries = 0; runner && tries < 100 && (await liveness(runner)) === 'alive'; tries++)
    await new Promise(resolve => setTimeout(resolve, 100))
  if (isClosed()) return true
  if (runner && (await liveness(runner)) === 'alive') await endRunner(runner)
  await closeSession(session, config, 'you', 'dispatch stop')
  return true
}

/** A runner that does not react is killed; the session is only closed in its place once it is gone for certain. */
async function endRunner(runner: Identity): Promise<void> {
  await killFamily(runner, '')
  for (let tries = 0; tries < 50 && (await liveness(runner)) === 'alive'; tries++)
    await new Promise(resolve => setTimeout(resolve, 50))
}
