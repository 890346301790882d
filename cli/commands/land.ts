import { readConfig } from '#host/config'
import { type ExitCode, exitCodes } from '#host/error.ts'
import { findSession } from '#session'
import { defineCommand, UsageError } from '../command.ts'
import { setExitCodeWithoutReader } from '../end-signal.ts'
import { isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { landingForms, landingOptions, parseLandingOptions } from '../input/landing-options.ts'
import { landingActions, refuseLandingPause } from '../landing/actions.ts'
import { getLandingExitCode, landSessions } from '../landing/land.ts'
import { queueSessions } from '../landing/queue-sessions.ts'
import { printLanding, printQueuedLandings, toLandingJson } from '../output/landing-view.ts'
import { print } from '../output/terminal.ts'
import { landByPullRequest } from '../pull-request/land.ts'

export const command = defineCommand({
  about: `
Lands the judged work on a branch of your remote. Dispatch fetches the branch into the session's own repository and puts the work on
top of it there; your checkout is not touched. If the resulting tree differs from the judged one, the checks of the contract, its
scopes and the judge decide again, about that tree. The gates in .dispatch.json of the branch must be green too. Then dispatch pushes
exactly that commit, without force. See docs/landing.md.

Only a valid PASS lands. The commit is yours, signed if commit.gpgSign says so. A session that is open is closed.

  dispatch land 3f2a             land it, and wait for it
  dispatch land 3f2a --pull-request  on GitHub, once its checks are green
  dispatch land 3f2a --queue     in the background; what conflicts is redone
  dispatch land ls               what waits, was sent back, or needs you
  dispatch land drop 3f2a        take it out
  dispatch land pause, unpause   stop landings on this repository, go on
  dispatch land run              land what waits now, as the daemon does

Exit code: 0 landed, 3 something is red on the new tree, 5 conflict, stale or refused, 12 undecided: the judge gave no
answer, or a check or gate could not run.
`,
  usage: 'land <sid…> [options]',
  options: landingOptions,
  forms: landingForms,
  choices: { sid: () => Object.keys(landingActions) },
  async run(values, [first = '', ...others]) {
    const { repo, until, all = false, json = false } = values
    const action = Object.hasOwn(landingActions, first) ? landingActions[first] : undefined
    const options = parseLandingOptions(values)
    if (action) return action({ config: readConfig(), ids: others, repo, until, all, json })
    if (first === '') throw new UsageError('no session is named', 'Name one: dispatch land <sid>')
    const config = readConfig()
    await refuseAgent('land')
    const sessions = [first, ...others].map(idOrPart => findSession(config.workspace, idOrPart))
    if (values.queue) return printQueuedLandings(await queueSessions(config, sessions, options), json)
    if (!options.ignoresPause && !options.isDryRun)
      await refuseLandingPause(config, sessions, { repo, mayQueue: !options.byPullRequest })
    setExitCodeWithoutReader()
    const codes: ExitCode[] = []
    const say = (text: string) => void process.stderr.write(`${text}\n`)
    const land = options.byPullRequest ? landByPullRequest : landSessions
    for await (const result of land(config, sessions, { ...options, isAtTerminal: isAtTerminal() && !json, say })) {
      if (json) print(JSON.stringify(toLandingJson(result, options.isDryRun)))
      else printLanding(result, options.isDryRun)
      codes.push(getLandingExitCode(result, options.isDryRun))
    }
    return codes.find(code => code !== exitCodes.ok) ?? exitCodes.ok
  },
})
