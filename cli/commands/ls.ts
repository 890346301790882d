import { sanitize } from '#host/text.ts'
import { listSessionPage, sessionStates } from '#session/search-index'
import { defineCommand, UsageError } from '../command.ts'
import { readConfigOrDefaults } from '../input/session.ts'
import { printChannelWarning } from '../notify/overview.ts'
import { printCodeWarning } from '../output/code-warning.ts'
import { createProgressLine } from '../output/progress-line.ts'
import { measureEnded, printSessionList, summarizeSession } from '../output/session-list.ts'
import { print } from '../output/terminal.ts'
import { parseAge } from '../tidy/remove-safe.ts'

export const command = defineCommand({
  about: `
Lists the newest sessions: state, id, age, size and task. The last four letters of an id are enough to name it. The size is what
\`dispatch rm\` would free, measured once after the session has ended.
`,
  options: {
    all: { type: 'boolean', about: 'every session, not only the newest 20' },
    state: { type: 'string', value: 'STATE', about: 'only those in a state, or several: PASS,FAIL,asking' },
    since: { type: 'string', value: 'AGE', about: 'only those that began within 12h, 30d, 4w' },
    search: { type: 'string', value: 'WORDS', about: 'only those whose task, contract or verdict has these words' },
    json: { type: 'boolean', about: 'print JSON instead of text; every session that matches' },
  },
  async run(values) {
    const config = readConfigOrDefaults()
    const states = values.state?.split(',').map(parseState)
    const hasEvery = values.all || values.json
    const progress = createProgressLine('reading the sessions')
    const { views, moreCount, damaged, problem } = await listSessionPage(
      config,
      {
        ...(states && { states }),
        ...(values.since !== undefined && { since: new Date(Date.now() - parseAge(values.since)).toISOString() }),
        ...(values.search !== undefined && { search: values.search }),
        ...(!hasEvery && { limit: PAGE_SIZE }),
      },
      progress.show,
    ).finally(progress.clear)
    if (problem !== undefined)
      process.stderr.write(`dispatch: the index of the sessions was not used: ${sanitize(problem)}\n`)
    const sizes = measureEnded(views)
    const isFiltered = [values.state, values.since, values.search].some(value => value !== undefined)
    const shown = isFiltered && !states?.includes(UNREADABLE) ? [] : damaged // Nothing else is known about them.
    if (values.json) {
      const { workspace } = config
      const unreadable = shown.map(each => ({ ...each, state: UNREADABLE, folder: `${workspace}/${each.id}` }))
      const summaries = views.map(view => ({ ...summarizeSession(view), bytes: sizes.get(view.session.id) ?? null }))
      print(JSON.stringify([...summaries, ...unreadable]))
      return
    }
    printSessionList(views, sizes, { damaged: shown, moreCount, isFiltered })
    printChannelWarning(config)
    printCodeWarning(config, views)
  },
})

const PAGE_SIZE = 20
const UNREADABLE = 'unreadable'

/** A state in any case, also one of a void verdict. Exit 2 for another word, which would match nothing. */
function parseState(text: string): string {
  const word = text.trim().toLowerCase()
  const known = [...sessionStates, UNREADABLE]
  if (known.some(state => state.toLowerCase() === word.replace(/^(pass|fail|inconclusive) \(void\)$/, '$1')))
    return word
  throw new UsageError(`"${text.trim()}" is not a state`, `The states: ${known.join(', ')}`)
}
