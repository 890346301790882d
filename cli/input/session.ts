import { styleText } from 'node:util'
import { type Config, readConfig, readDefaultConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findSession, listSessions, type Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus, type SessionStatus } from '#session/status'

/** The settings, for a command that starts nothing: where they are invalid, it warns and uses the defaults. */
export function readConfigOrDefaults(): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const config = readDefaultConfig() // Throws the same error when DISPATCH_HOME itself is invalid.
    const [, ...problems] = error.message.split('\n  ')
    const warning = `dispatch: ${problems.join('\n  ')}\n  This command uses the defaults.`
    process.stderr.write(`${styleText('yellow', warning, { stream: process.stderr })}\n`)
    return config
  }
}

/** The session with this id or part of an id; without one, the newest. Exit 4 when it does not exist. */
export function pickSession(config: Config, idOrPart: string | undefined): Session {
  if (idOrPart !== undefined) return findSession(config.workspace, idOrPart)
  const [newest] = listSessions(config.workspace)
  if (newest) return newest
  throw new DispatchError(`there are no sessions in ${config.workspace}`, {
    exitCode: exitCodes.notFound,
    remedy: 'Start one: dispatch "task"',
  })
}

/** The status from the log as it is now. */
export function readStatus({ paths }: Session): SessionStatus {
  return computeStatus(readLog(paths.events).events)
}
