import path from 'node:path'
import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { listDamagedSessions } from '#session'
import { readAllViews, type SessionView } from '#session/status'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { printChannelWarning } from '../notify/health.ts'
import { fitTable, formatRelativeTime, paint, paintState, print, shorten } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Every session, newest first: where it stands, how old it is, what it was asked. The last four letters are enough to name it.
`,
  options: {
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  },
  async run(values) {
    const config = readConfigOrDefaults()
    const views = await readAllViews(config.workspace)
    const damaged = listDamagedSessions(config.workspace)
    const rows = [
      ...views.map(formatRow),
      ...damaged.map(({ id, reason }) => [paint('red', 'unreadable'), id, '', '', reason]),
    ]
    if (values.json)
      print(JSON.stringify([...views.map(summarize), ...damaged.map(one => summarizeDamaged(one, config))]))
    else if (rows.length === 0) print('No session yet. Begin one: dispatch "task"')
    else print(fitTable(rows, 4, shorten))
    if (!values.json) printChannelWarning(config)
    return exitCodes.ok
  },
})

function formatRow(view: SessionView): string[] {
  const { session, status } = view
  return [
    paintState(view),
    session.id,
    paint('dim', formatRelativeTime(session.manifest.openedAt)),
    describeActivity(view),
    shorten(status.title || session.manifest.task.title, 60),
  ]
}

function describeActivity({ session, status }: SessionView): string {
  if (session.newerFormat !== undefined) return `format ${session.newerFormat}: read only`
  const working = status.workers.filter(worker => worker.startedAt && !worker.endedAt).length
  if (working > 0) return `${working} worker${working === 1 ? '' : 's'}`
  return status.round > 0 ? `round ${status.round}` : ''
}

function summarizeDamaged({ id, reason }: { id: string; reason: string }, { workspace }: Config) {
  return { id, state: 'unreadable', reason, folder: path.join(workspace, id) }
}

function summarize({ session, status, state, runnerLiveness }: SessionView) {
  return {
    id: session.id,
    state,
    since: status.phaseStartedAt,
    openedAt: session.manifest.openedAt,
    title: session.manifest.task.title,
    round: status.round,
    runner: runnerLiveness,
    folder: session.paths.folder,
  }
}
