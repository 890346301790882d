import { defineCommand } from '../command.ts'
import { pickSession, readConfigOrDefaults } from '../input/session.ts'
import { followSources, listSources, printOverview, printSources } from '../output/log-view.ts'
import { printProcessLog } from '../output/process-log.ts'

const processNames = ['daemon', 'web']

export const command = defineCommand({
  about: `
Shows the output of the runner (the events of the session, and its window), of the orchestrator (its conversation and the
output of its tools), or of a worker by its name (its output and its standard error). Without a name: the files, and the
last lines of those that matter now. Without an id: the newest session. In place of an id, \`daemon\` or \`web\` shows the log of what
runs beside the sessions.
`,
  choices: { sid: () => [...processNames] },
  options: { follow: { type: 'boolean', about: 'keep printing new lines until the session is closed (Ctrl-c stops)' } },
  forms: {
    options: { '[sid] [who]': ['follow'], daemon: [], web: [] },
    choose: (_values, [name = '']) => (processNames.includes(name) ? name : '[sid] [who]'),
  },
  async run(values, [name, who]) {
    const config = readConfigOrDefaults()
    if (processNames.includes(name ?? '')) return printProcessLog(config, name ?? '')
    const session = pickSession(config, name)
    const sources = listSources(session, who)
    if (values.follow) await followSources(session, who)
    else if (who === undefined) await printOverview(session, sources, config)
    else await printSources(session, sources, config)
  },
})
