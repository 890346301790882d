import { exitCodes } from '#host/error.ts'
import { readCurrentVerdict, readEvidence } from '#session/evidence'
import { listChangesSinceVerdict } from '#session/repository'
import { readView } from '#session/status'
import { defineCommand } from '../command.ts'
import { pickSession, readConfigOrDefaults } from '../input/session.ts'
import { printChannelWarning } from '../notify/overview.ts'
import { printFollowedState, toFollowedJson } from '../output/followed-view.ts'
import { findIntegrityWarnings, printSession } from '../output/show-view.ts'
import { print } from '../output/terminal.ts'
import { findRecordFor } from '../pull-request/record.ts'

export const command = defineCommand({
  about: `
Shows one session: each clause of the contract with its outcome before and after the work, the workers, the verdict and
whether it is still valid for outputs/, and the command that fetches the judged work. Without an id: the newest session.
`,
  options: { json: { type: 'boolean', about: 'print JSON instead of text' } },
  async run(values, [name]) {
    const config = readConfigOrDefaults()
    const session = pickSession(config, name)
    const view = await readView(session)
    const { status, state, runnerLiveness } = view
    const changedPaths = await listChangesSinceVerdict(session.paths, status)
    const integrityWarnings = await findIntegrityWarnings(session, status)
    const exitCode = integrityWarnings.length > 0 ? exitCodes.integrity : exitCodes.ok
    const pullRequest = findRecordFor(config.home, session)
    if (!values.json) {
      printSession(view, changedPaths, integrityWarnings)
      if (pullRequest !== undefined) printFollowedState(pullRequest)
      printChannelWarning(config)
      return exitCode
    }
    const details = {
      id: session.id,
      state,
      status,
      runner: runnerLiveness,
      host: view.otherHost ?? null,
      changedSinceVerdict: changedPaths,
      damage: integrityWarnings,
      evidence: readEvidence(session.paths),
      verdict: readCurrentVerdict(session.paths, status) ?? null,
      pullRequest: pullRequest === undefined ? null : toFollowedJson(pullRequest),
      folder: session.paths.folder,
    }
    print(JSON.stringify(details))
    return exitCode
  },
})
