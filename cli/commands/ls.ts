import { listDamagedSessions } from '#session'
import { measureSession, readKnownSize } from '#session/removal'
import { readAllViews, type SessionView } from '#session/status'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/session.ts'
import { printChannelWarning } from '../notify/overview.ts'
import { printSessionList, summarizeSession } from '../output/session-list.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Lists every session, newest first: its state, id, age, size and task. The last four letters of an id are enough to name it. The size
is what \`dispatch rm\` would free, measured once after the session has ended.
`,
  options: { json: { type: 'boolean', about: 'print JSON instead of text' } },
  async run(values) {
    const config = readConfigOrDefaults()
    const views = await readAllViews(config.workspace)
    const sizes = measureEnded(views)
    const damaged = listDamagedSessions(config.workspace)
    if (values.json) {
      const { workspace } = config
      const unreadable = damaged.map(each => ({ ...each, state: 'unreadable', folder: `${workspace}/${each.id}` }))
      const summaries = views.map(view => ({ ...summarizeSession(view), bytes: sizes.get(view.session.id) ?? null }))
      print(JSON.stringify([...summaries, ...unreadable]))
      return
    }
    printSessionList(views, sizes, damaged)
    printChannelWarning(config)
  },
})

/** A large session takes a second. Those that are not measured now are the next time. */
const MAX_MEASURING_MS = 1500

/** The size in bytes of each session that has ended, by id. */
function measureEnded(views: SessionView[]): Map<string, number> {
  const endMs = Date.now() + MAX_MEASURING_MS
  const hasEnded = ({ closed, phase }: SessionView['status']) => closed !== undefined || phase === 'failed'
  const ended = views.filter(({ status, runnerLiveness }) => hasEnded(status) && runnerLiveness === 'dead')
  return new Map(
    ended.flatMap(({ session }) => {
      const bytes = Date.now() < endMs ? measureSession(session, true) : readKnownSize(session)
      return bytes === undefined ? [] : [[session.id, bytes] as const]
    }),
  )
}
