import { listDamagedSessions } from '#session'
import { readAllViews } from '#session/status'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/session.ts'
import { printChannelWarning } from '../notify/overview.ts'
import { printSessionList, summarizeSession } from '../output/session-list.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Lists every session, newest first: its state, id, age and task. The last four letters of an id are enough to name it.
`,
  options: { json: { type: 'boolean', about: 'print JSON instead of text' } },
  async run(values) {
    const config = readConfigOrDefaults()
    const views = await readAllViews(config.workspace)
    const damaged = listDamagedSessions(config.workspace)
    if (values.json) {
      const { workspace } = config
      const unreadable = damaged.map(each => ({ ...each, state: 'unreadable', folder: `${workspace}/${each.id}` }))
      print(JSON.stringify([...views.map(summarizeSession), ...unreadable]))
      return
    }
    printSessionList(views, damaged)
    printChannelWarning(config)
  },
})
