import { DispatchError, exitCodes } from '#host/error.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName } from '#runner'
import { findClaudeFolder, type Session } from '#session'
import { refuseOtherHost } from '#session/status'
import { defineCommand, UsageError } from '../command.ts'
import { pickSession, readConfigOrDefaults, readStatus } from '../input/session.ts'
import { findNextStep } from '../output/next-step.ts'

export const command = defineCommand({
  about: `
Connects your terminal to the session's: to the orchestrator's window, or to another one ("runner", or a worker's name). Ctrl-b d
disconnects and leaves everything running; Ctrl-b n shows the next window, and the wheel scrolls. Inside a tmux of your own that
uses Ctrl-b too, press Ctrl-b twice. Without an id: the newest session.
`,
  async run(_, [idOrPart, window = ORCHESTRATOR_WINDOW]) {
    const config = readConfigOrDefaults()
    const session = pickSession(config, idOrPart)
    await refuseOtherHost(session)
    const terminal = getTmuxSessionName(session)
    const tmux = openTmux(config.home)
    const panes = (await tmux.listPanes()).filter(pane => pane.session === terminal && !pane.isDead)
    const windows = panes.map(pane => pane.window)
    if (!windows.includes(window))
      throw new DispatchError(`session ${session.id} has no running window "${window}"`, {
        exitCode: exitCodes.notFound,
        remedy:
          window !== ORCHESTRATOR_WINDOW && windows.length > 0
            ? `Running windows: ${windows.join(', ')}`
            : explainMissing(session),
      })
    if (!process.stdin.isTTY)
      throw new UsageError('attach needs a terminal', `In a script, use this instead: dispatch watch ${session.id}`)
    return tmux.attach(terminal, window)
  },
})

const ORCHESTRATOR_WINDOW = 'orchestrator'

/** What can be done without a window. Claude keeps the transcript of an orchestrator under the folder it ran with. */
function explainMissing(session: Session): string {
  const { id, manifest, paths } = session
  const letters = id.slice(-4)
  const status = readStatus(session)
  if (status.closed === undefined && status.phase !== 'failed') {
    const goOn = `dispatch resume ${letters} starts claude again, with the whole conversation`
    return findNextStep(status, letters, true)?.text ?? goOn
  }
  const folder = findClaudeFolder(session)
  const variable = folder === null ? '' : `CLAUDE_CONFIG_DIR=${quoteForShell(folder)} `
  return `To see how it ended: dispatch show ${letters}. To read its transcript, or continue it without dispatch:
  cd ${quoteForShell(paths.orchestratorFolder)} && ${variable}claude --resume ${manifest.claude.sessionId}`
}
