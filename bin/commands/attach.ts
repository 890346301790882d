import { DispatchError, exits, shellWord, tmuxOf } from '../../host/index.ts'
import { tmuxSession } from '../../runner/index.ts'
import { claudeFolderOf, type Session } from '../../session/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'
import { lenientConfig } from '../lenient.ts'

export const command = defineCommand({
  about: `
Your terminal becomes the session's: the orchestrator by default, or "runner" or a worker's name. Ctrl-b d leaves it as it
is, Ctrl-b n goes to the next window. Without an id: the newest session.
`,
  async run(_, words) {
    const config = lenientConfig()
    const session = chosen(config, words[0])
    const tmux = tmuxOf(config.home)
    const panes = (await tmux.panes()).filter(pane => pane.session === tmuxSession(session))
    const windows = panes.filter(pane => !pane.dead).map(pane => pane.window)
    const window = words[1] ?? 'orchestrator'
    if (!windows.includes(window)) {
      const remedy = window !== 'orchestrator' && windows.length > 0 ? `It has: ${windows.join(', ')}.` : ended(session)
      throw new DispatchError(`in session ${session.id} no "${window}" runs`, { exit: exits.notFound, remedy })
    }
    if (!process.stdin.isTTY)
      throw new DispatchError('attach needs a terminal', {
        exit: exits.usage,
        remedy: `From a script, use \`dispatch watch ${session.id}\`.`,
      })
    return tmux.attach(tmuxSession(session), window)
  },
})

/** An orchestrator that is gone has left its talk behind, in its folder and under the claude configuration it ran with. */
function ended(session: Session): string {
  const { id, opening, paths } = session
  const configuration = claudeFolderOf(session)
  const login = configuration === null ? '' : `CLAUDE_CONFIG_DIR=${shellWord(configuration)} `
  return `\`dispatch show ${id.slice(-4)}\` tells how it ended. To read its talk, or go on with it outside of dispatch:
  cd ${shellWord(paths.desk)} && ${login}claude --resume ${opening.claude.session}`
}
