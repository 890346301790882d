import { DispatchError, exitCodes } from '#host/error.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName } from '#runner'
import { findClaudeFolder, type Session } from '#session'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
export const command = defineCommand({
  about: `
Your terminal becomes the session's: the orchestrator by default, or "runner" or a worker's name. Ctrl-b d leaves it as it
is, Ctrl-b n goes to the next window. Without an id: the newest session.
`,
  async run(_, words) {
    const config = readConfigOrDefaults()
    const session = pickSession(config, words[0])
    const tmux = openTmux(config.home)
    const panes = (await tmux.listPanes()).filter(pane => pane.session === getTmuxSessionName(session))
    const windows = panes.filter(pane => !pane.isDead).map(pane => pane.window)
    const window = words[1] ?? 'orchestrator'
    if (!windows.includes(window)) {
      const remedy =
        window !== 'orchestrator' && windows.length > 0 ? `It has: ${windows.join(', ')}.` : explainEnded(session)
      throw new DispatchError(`in session ${session.id} no "${window}" runs`, { exitCode: exitCodes.notFound, remedy })
    }
    if (!process.stdin.isTTY)
      throw new DispatchError('attach needs a terminal', {
        exitCode: exitCodes.usage,
        remedy: `From a script, use \`dispatch watch ${session.id}\`.`,
      })
    return tmux.attach(getTmuxSessionName(session), window)
  },
})

/** An orchestrator that is gone has left its talk behind, in its folder and under the claude configuration it ran with. */
function explainEnded(session: Session): string {
  const { id, manifest, paths } = session
  const configuration = findClaudeFolder(session)
  const login = configuration === null ? '' : `CLAUDE_CONFIG_DIR=${quoteForShell(configuration)} `
  return `\`dispatch show ${id.slice(-4)}\` tells how it ended. To read its talk, or go on with it outside of dispatch:
  cd ${quoteForShell(paths.orchestratorFolder)} && ${login}claude --resume ${manifest.claude.sessionId}`
}
