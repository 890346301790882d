import { sanitize } from '#host/text.ts'
import { stopSession } from '#runner'
import { findSession, listDamagedSessions, listSessions, type Session } from '#session'
import { describeJudgeWait, findOtherHost } from '#session/status'
import { endLeftovers, stopBackground } from '../background.ts'
import { defineCommand, UsageError } from '../command.ts'
import { readConfigOrDefaults, readStatus } from '../input/session.ts'
import { formatLocalTime, print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Ends every process of a session and nothing else: orchestrator, workers, runner, terminal. All files stay.
`,
  options: {
    all: { type: 'boolean', about: 'stop every session, the daemon, landings and the web page' },
    'host-gone': {
      type: 'boolean',
      about: 'end a session of another machine that shares this home, because that machine is gone for good',
    },
  },
  forms: { options: { '<sid…>': ['host-gone'], '--all': ['all'] }, choose: ({ all }) => (all ? '--all' : '<sid…>') },
  async run(values, idsOrParts) {
    const config = readConfigOrDefaults()
    if (!values.all && idsOrParts.length === 0)
      throw new UsageError(
        'no session is named',
        'Name one: dispatch stop <sid>, or use --all. To list them: dispatch ls',
      )
    // First what would start the next task in the place of a session that ends.
    const problems = values.all ? await stopBackground(config) : []
    const sessions = values.all
      ? listSessions(config.workspace)
      : idsOrParts.map(idOrPart => findSession(config.workspace, idOrPart))
    const isHostGone = values['host-gone'] ?? false
    const results = await Promise.allSettled(
      sessions.map(async session => {
        const skipReason = values.all ? await findSkipReason(session) : undefined
        if (skipReason !== undefined) return { skipped: `skipped ${session.id}: ${skipReason}` }
        return (await stopSession(session, config, { isHostGone })) ? { stopped: describeStopped(session) } : {}
      }),
    )
    const done = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = results.find(result => result.status === 'rejected')
    for (const { stopped } of done) if (stopped !== undefined) print(stopped)
    if (failed === undefined && done.every(({ stopped }) => stopped === undefined)) print('Nothing was running.')
    for (const { skipped } of done) if (skipped !== undefined) print(skipped)
    if (values.all) {
      for (const { id, reason } of listDamagedSessions(config.workspace))
        print(`skipped ${id}: it cannot be read (${reason})`)
      await endLeftovers(config)
    }
    for (const problem of [failed?.reason, ...problems]) if (problem !== undefined) throw problem // It kept nothing else running.
  },
})

/** Why `--all` leaves a session alone; undefined if it does not. */
async function findSkipReason(session: Session): Promise<string | undefined> {
  if (session.newerFormat !== undefined) return 'a newer dispatch wrote it'
  const host = await findOtherHost(session)
  return host === undefined ? undefined : `it belongs to ${host}`
}

/** Work that was waiting for the judge is not lost: it can still be judged. */
function describeStopped(session: Session): string {
  const waiting = describeJudgeWait(readStatus(session), formatLocalTime)
  if (waiting === undefined) return `stopped ${session.id}`
  return `stopped ${session.id}, which ${sanitize(waiting)}\n  its work is kept. To have it judged: dispatch judge ${session.id.slice(-4)}`
}
