import { readConfig } from '#host/config'
import { measureFreeSpace } from '#host/fs'
import { DAY_MS } from '#host/time.ts'
import { defineCommand, UsageError } from '../command.ts'
import { confirmAction, refuseAgent } from '../input/confirm.ts'
import { createProgressLine } from '../output/progress-line.ts'
import { print } from '../output/terminal.ts'
import { printRemovable, printTidied } from '../output/tidy-view.ts'
import { parseAge } from '../tidy/remove-safe.ts'
import { tidyInBackground } from '../tidy/schedule.ts'
import { listRemovable, removeAll, requireRemoved } from '../tidy/tidy.ts'

export const command = defineCommand({
  about: `
Removes what is no longer needed. It lists each thing with the reason why nothing is lost, and asks once (in scripts: --yes): ended
sessions that are old and whose work you have, or that made none; dependencies that no open session uses; histories from which no
session has started for 30 days; notifications, queue items and logs that have been kept long enough; and what killed processes have
left. Work that you have not applied always stays.

The daemon does a part of it once a day: the setting TIDY says which (caches, sessions or off). Its log says what was removed.
`,
  options: {
    older: {
      type: 'string',
      value: 'AGE',
      about: 'sessions that are older (12h, 30d, 4w; default: KEEP_SESSIONS_DAYS)',
    },
    'dry-run': { type: 'boolean', about: 'list it, and remove nothing' },
    yes: { type: 'boolean', about: 'do not ask' },
    scheduled: { type: 'boolean', isInternal: true, about: 'as TIDY says, without a question: for the daemon' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  async run(values) {
    await refuseAgent('tidy')
    const config = readConfig()
    if (values.scheduled) {
      await tidyInBackground(config)
      return
    }
    const age = values.older === undefined ? config.KEEP_SESSIONS_DAYS * DAY_MS : parseAge(values.older)
    const looking = createProgressLine('looking at the sessions')
    const { removable, problems } = await listRemovable(config, { sessionAgeMs: age, dependencyAgeMs: 0 }, looking.show)
    looking.clear()
    const isAsked = !values['dry-run'] && !values.yes && removable.length > 0
    if (values.json && isAsked) throw new UsageError('tidy --json does not ask', 'Add --yes, or --dry-run.')
    if (!values.json) printRemovable(removable, problems)
    const isGo =
      !values['dry-run'] && removable.length > 0 && (values.yes || (await confirmAction('Remove it?', 'tidy')))
    const freeBefore = measureFreeSpace(config.home)
    const removing = createProgressLine('removing')
    const results = isGo ? await removeAll(removable, removing.show) : []
    removing.clear()
    const freeBytes = { before: freeBefore, now: measureFreeSpace(config.home) }
    const listed = removable.map(({ remove: _, ...each }) => ({ ...each, action: 'would be removed' }))
    if (values.json) print(JSON.stringify({ entries: isGo ? results : listed, problems, freeBytes }))
    else if (isGo) printTidied(results, freeBytes.before, freeBytes.now)
    else if (removable.length > 0) print('Nothing was removed.')
    requireRemoved(results, problems)
  },
})
