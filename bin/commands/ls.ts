import path from 'node:path'
import { type Config, exits } from '../../host/index.ts'
import { damagedSessions, type View, viewAll } from '../../session/index.ts'
import { defineCommand } from '../command.ts'
import { lenientConfig } from '../lenient.ts'
import { printSilence } from '../notify/health.ts'
import { age, fitted, paint, paintState, print, shorten } from '../terminal.ts'

export const command = defineCommand({
  about: `
Every session, newest first: where it stands, how old it is, what it was asked. The last four letters are enough to name it.
`,
  options: {
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  },
  async run(values) {
    const config = lenientConfig()
    const views = await viewAll(config.workspace)
    const damaged = damagedSessions(config.workspace)
    const rows = [...views.map(row), ...damaged.map(({ id, why }) => [paint('red', 'unreadable'), id, '', '', why])]
    if (values.json) print(JSON.stringify([...views.map(summary), ...damaged.map(one => damagedSummary(one, config))]))
    else if (rows.length === 0) print('No session yet. Begin one: dispatch "task"')
    else print(fitted(rows, 4, shorten))
    if (!values.json) printSilence(config)
    return exits.ok
  },
})

function row(view: View): string[] {
  const { session, status } = view
  return [
    paintState(view),
    session.id,
    paint('dim', age(session.opening.openedAt)),
    doing(view),
    shorten(status.title || session.opening.task.title, 60),
  ]
}

function doing({ session, status }: View): string {
  if (session.format !== undefined) return `format ${session.format}: read only`
  const working = status.workers.filter(worker => worker.startedAt && !worker.endedAt).length
  if (working > 0) return `${working} worker${working === 1 ? '' : 's'}`
  return status.round > 0 ? `round ${status.round}` : ''
}

function damagedSummary({ id, why }: { id: string; why: string }, { workspace }: Config) {
  return { id, state: 'unreadable', why, folder: path.join(workspace, id) }
}

function summary({ session, status, state, runner }: View) {
  return {
    id: session.id,
    state,
    since: status.since,
    openedAt: session.opening.openedAt,
    title: session.opening.task.title,
    round: status.round,
    runner,
    folder: session.paths.folder,
  }
}
