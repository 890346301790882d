import { readConfig } from '#host/config'
import { findSession, refuseNewerFormat } from '#session'
import { defineCommand, UsageError } from '../command.ts'
import { isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { print } from '../output/terminal.ts'
import { removeNamedSessions } from '../tidy/remove-named.ts'
import { parseAge, removeSafeSessions, throwFailures } from '../tidy/remove-safe.ts'

export const command = defineCommand({
  about: `
Deletes the folder of a session with its outputs, evidence, verdict and log. A session that is still open is refused. Before
work is deleted that no branch of your repository, or of the current one, contains, you are asked (in scripts: --force). Either
all the named sessions are deleted, or none. Claude keeps its own transcripts.

With --applied or --older, dispatch finds the sessions itself. It lists each one with the reason why nothing is lost, or why it
stays, and asks once (in scripts: --yes). Work that was not applied always stays.
`,
  usage: `rm <sid…> [--force]
       dispatch rm --applied [--older AGE]
       dispatch rm --older AGE`,
  options: {
    force: { type: 'boolean', about: 'do not ask before unsaved work is deleted' },
    applied: { type: 'boolean', about: 'every session whose work is in one of your branches' },
    older: {
      type: 'string',
      value: 'AGE',
      about: 'every session that is older (12h, 30d, 4w) and has nothing to lose',
    },
    'dry-run': { type: 'boolean', about: 'with --applied or --older: list them, and remove nothing' },
    yes: { type: 'boolean', about: 'with --applied or --older: do not ask' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  forms: {
    options: {
      '<sid…>': ['force', 'json'],
      '--applied': ['applied', 'older', 'dry-run', 'yes', 'json'],
      '--older': ['older', 'dry-run', 'yes', 'json'],
    },
    choose: ({ applied, older }) => (applied ? '--applied' : older === undefined ? '<sid…>' : '--older'),
  },
  async run(values, idsOrParts) {
    const config = readConfig()
    await refuseAgent('rm')
    if (values.applied || values.older !== undefined) {
      await removeSafeSessions(config, {
        isAppliedOnly: values.applied ?? false,
        minAgeMs: values.older === undefined ? 0 : parseAge(values.older),
        isDryRun: values['dry-run'] ?? false,
        isConfirmed: values.yes ?? false,
        isJson: values.json ?? false,
      })
      return
    }
    if (idsOrParts.length === 0) throw new UsageError('rm needs a session, --applied or --older AGE')
    const found = idsOrParts.map(idOrPart => findSession(config.workspace, idOrPart))
    const sessions = [...new Map(found.map(session => [session.id, session])).values()]
    for (const session of sessions) refuseNewerFormat(session)
    const failures = await removeNamedSessions(sessions, config, {
      isForced: values.force ?? false,
      mayAsk: isAtTerminal() && !values.json,
    })
    const results = sessions.map(({ id }) => ({ id, action: failures.has(id) ? 'failed' : 'removed' }))
    if (values.json) print(JSON.stringify(results))
    else for (const { id, action } of results) if (action === 'removed') print(`removed ${id}`)
    throwFailures(failures)
  },
})
